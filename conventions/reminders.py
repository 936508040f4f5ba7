"""Reminders to the référent whose convention waits for its signature, as `applications.reminders` writes others:
each once (`Letter.once`), and asked about again when it leaves."""

import logging
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Max, Q

from applications import actions
from applications.models import Application
from applications.reminders import FROM
from applications.states import State
from conventions import emails, rules
from conventions.models import SignedCopy
from ecare.clock import PARIS
from ecare.letters.models import Letter

log = logging.getLogger(__name__)

_REFUSED = Max("signed_copies__decided_at", filter=Q(signed_copies__state=SignedCopy.State.REFUSED))


def remind(at: datetime) -> int:
    """Write what the day calls for and nobody wrote yet, each in its own transaction. Returns how many."""
    if at.astimezone(PARIS).time() < FROM:
        return 0
    unsigned = Application.objects.filter(state=State.ACCEPTED, signed_copy_at=None).order_by("pk")
    due = {}
    for application in unsigned.annotate(refused_at=_REFUSED):
        found = rules.reminder_due(application, application.refused_at, at)
        if found:
            due[f"{application.subject}:{found.key}"] = application
    written = set(Letter.objects.filter(once__in=due).values_list("once", flat=True))
    return sum(_remind_of(application, at) for key, application in due.items() if key not in written)


def _remind_of(application: Application, at: datetime) -> bool:
    """One that cannot be written holds back no other."""
    try:
        with transaction.atomic():
            application = actions.lock(application)
            refused = _latest_refused(application)
            due = rules.reminder_due(application, refused.decided_at if refused else None, at)
            if due is None or not application.referent.is_active:
                return False
            emails.signature_reminder(application, due, refused=refused).save()
    except IntegrityError:
        return False  # another worker wrote it meanwhile
    except Exception:
        log.exception("The reminder of %s could not be written", application.reference)
        return False
    return True


def is_still_true(letter: Letter, at: datetime) -> bool:
    """Asked when the letter leaves: the same convention still waits, since the same day, for the same person."""
    reference = letter.subject.partition(":")[2]
    application = Application.objects.select_related("referent").filter(reference=reference).first()
    if application is None or not application.referent.is_active:
        return False
    if application.referent.email.casefold() != letter.recipient.casefold():
        return False
    refused = _latest_refused(application)
    due = rules.reminder_due(application, refused.decided_at if refused else None, at)
    return due is not None and letter.premise == {"reminder": due.key}


def _latest_refused(application: Application) -> SignedCopy | None:
    refused = SignedCopy.objects.filter(application=application, state=SignedCopy.State.REFUSED)
    return refused.order_by("-decided_at").first()
