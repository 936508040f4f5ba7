"""Reminders to the référent whose convention waits for its signature, as `applications.reminders` writes others:
each once (`Letter.once`), and asked about again when it leaves."""

from datetime import datetime

from django.db.models import Max, Q

from applications.models import Application
from applications.reminders import still_held_by, write_each
from applications.states import State
from conventions import emails, rules
from conventions.models import SignedCopy
from ecare.letters.models import Letter

_REFUSED = Max("signed_copies__decided_at", filter=Q(signed_copies__state=SignedCopy.State.REFUSED))


def remind(at: datetime) -> int:
    """Write what the day calls for and nobody wrote yet. Returns how many."""
    unsigned = Application.objects.filter(state=State.ACCEPTED, signed_copy_at=None).order_by("pk")
    found = ((one, rules.reminder_due(one, one.refused_at, at)) for one in unsigned.annotate(refused_at=_REFUSED))
    return write_each(found, _reminder, at)


def _reminder(application: Application, at: datetime) -> Letter | None:
    refused = _latest_refused(application)
    due = _due(application, refused, at)
    return None if due is None else emails.signature_reminder(application, due, refused=refused)


def is_still_true(letter: Letter, at: datetime) -> bool:
    """Asked when the letter leaves: the same convention still waits, since the same day, for the same person."""
    application = still_held_by(letter)
    due = application and _due(application, _latest_refused(application), at)
    return due is not None and letter.premise == {"reminder": due.key}


def _due(application: Application, refused: SignedCopy | None, at: datetime) -> rules.SignatureReminder | None:
    return rules.reminder_due(application, refused.decided_at if refused else None, at)


def _latest_refused(application: Application) -> SignedCopy | None:
    refused = SignedCopy.objects.filter(application=application, state=SignedCopy.State.REFUSED)
    return refused.order_by("-decided_at").first()
