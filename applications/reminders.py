"""Reminders to the référent: a step never sent whose last day comes near, a correction that is awaited.

Each is written once (`Letter.once`), however often the worker runs, and asked about again when it leaves.
"""

import logging
from datetime import datetime, time

from django.db import IntegrityError, transaction

from applications import actions, emails, rules
from applications.models import Application, ChangeRequest
from applications.states import EDITABLE
from ecare.clock import PARIS
from ecare.letters.models import Letter

log = logging.getLogger(__name__)

FROM = time(7, 30)  # in Paris: before the daily letter, which takes those of the day along


def remind(at: datetime) -> int:
    """Write what the day calls for and nobody wrote yet, each in its own transaction. Returns how many."""
    if at.astimezone(PARIS).time() < FROM:
        return 0
    asked = {request.application_id: request for request in ChangeRequest.objects.open()}
    due = {}
    for application in Application.objects.filter(state__in=EDITABLE).select_related("domain").order_by("pk"):
        found = rules.reminder_due(application, asked.get(application.pk), at)
        if found:
            due[f"{application.subject}:{found.key}"] = application
    written = set(Letter.objects.filter(once__in=due).values_list("once", flat=True))
    return sum(remind_of(application, at) for key, application in due.items() if key not in written)


def remind_of(application: Application, at: datetime) -> bool:
    """The reminder of one dossier, in its own transaction: one that cannot be written holds back no other."""
    try:
        with transaction.atomic():
            application = actions.lock(application)
            request = _open_request(application)
            due = rules.reminder_due(application, request, at)
            if due is None or not application.referent.is_active:
                return False
            emails.reminder(application, due, progress=_progress(application), request=request).save()
    except IntegrityError:
        return False  # another worker wrote it meanwhile
    except Exception:
        log.exception("The reminder of %s could not be written", application.reference)
        return False
    return True


def is_still_true(letter: Letter, at: datetime) -> bool:
    """Asked when the letter leaves: the same step still waits, until the same day, for the same person."""
    reference = letter.subject.partition(":")[2]
    application = Application.objects.select_related("domain", "referent").filter(reference=reference).first()
    if application is None or not application.referent.is_active:
        return False
    if application.referent.email.casefold() != letter.recipient.casefold():
        return False
    request = _open_request(application)
    due = rules.reminder_due(application, request, at)
    return due is not None and letter.premise == {"reminder": due.key}


def _open_request(application: Application) -> ChangeRequest | None:
    return application.change_requests.open().first()


def _progress(application: Application) -> rules.Progress:
    questions, values = actions.questions_of(application.form), actions.known_of(application)
    return rules.progress(questions, values, actions.entities_of(application.establishment))
