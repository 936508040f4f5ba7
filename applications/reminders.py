"""Reminders to the référent: a step never sent whose last day comes near, a correction that is awaited.

Each is written once (`Letter.once`), however often the worker runs, and asked about again when it leaves.
"""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime, time
from typing import Protocol

from django.db import IntegrityError, transaction

from applications import actions, emails, rules
from applications.models import Application, ChangeRequest, entities_of, questions_of
from applications.rules import known_of
from applications.states import EDITABLE
from ecare.clock import PARIS
from ecare.letters.models import Letter

log = logging.getLogger(__name__)

FROM = time(7, 30)  # in Paris: before the daily letter, which takes those of the day along


def remind(at: datetime) -> int:
    """Write what the day calls for and nobody wrote yet. Returns how many."""
    asked = {request.application_id: request for request in ChangeRequest.objects.open()}
    editable = Application.objects.filter(state__in=EDITABLE).select_related("domain").order_by("pk")
    found = ((one, rules.reminder_due(one, asked.get(one.pk), at)) for one in editable)
    return write_each(found, _reminder, at)


def remind_of(application: Application, at: datetime) -> bool:
    """The reminder of one dossier, whatever the hour."""
    return _write(application, _reminder, at)


def _reminder(application: Application, at: datetime) -> Letter | None:
    request = _open_request(application)
    due = rules.reminder_due(application, request, at)
    if due is None:
        return None
    return emails.reminder(application, due, progress=_progress(application), request=request)


def is_still_true(letter: Letter, at: datetime) -> bool:
    """Asked when the letter leaves: the same step still waits, until the same day, for the same person."""
    application = still_held_by(letter)
    due = application and rules.reminder_due(application, _open_request(application), at)
    return due is not None and letter.premise == {"reminder": due.key}


# --- what every reminder of a dossier shares ----------------------------------------------------------------------
class Due(Protocol):
    """What a day calls for; the key names it once and for all."""

    @property
    def key(self) -> str: ...


Write = Callable[[Application, datetime], Letter | None]


def write_each(found: Iterable[tuple[Application, Due | None]], write: Write, at: datetime) -> int:
    """Those that are due and that nobody wrote yet, from the hour of the day on. `write`: the unsaved letter of a
    locked dossier, if it is still due. Returns how many."""
    if at.astimezone(PARIS).time() < FROM:
        return 0
    due = {f"{application.subject}:{one.key}": application for application, one in found if one}
    written = set(Letter.objects.filter(once__in=due).values_list("once", flat=True))
    return sum(_write(application, write, at) for key, application in due.items() if key not in written)


def _write(application: Application, write: Write, at: datetime) -> bool:
    """In a transaction of its own: one that cannot be written holds back no other."""
    try:
        with transaction.atomic():
            application = actions.lock(application)
            letter = write(application, at) if application.referent.is_active else None
            if letter is None:
                return False
            letter.save()
    except IntegrityError:
        return False  # another worker wrote it meanwhile
    except Exception:
        log.exception("The reminder of %s could not be written", application.reference)
        return False
    return True


def still_held_by(letter: Letter) -> Application | None:
    """The dossier that a letter is about, while its recipient is its référent and may sign in."""
    reference = letter.subject.partition(":")[2]
    found = Application.objects.select_related("domain", "referent").filter(reference=reference).first()
    if found is None or not found.referent.is_active:
        return None
    return found if found.referent.email.casefold() == letter.recipient.casefold() else None


def _open_request(application: Application) -> ChangeRequest | None:
    return application.change_requests.open().first()


def _progress(application: Application) -> rules.Progress:
    questions, values = questions_of(application.form), known_of(application)
    return rules.progress(questions, values, entities_of(application.establishment))
