"""The verbs of a desk about a change request that it made: taken back, or awaited for another day."""

from datetime import date, datetime

import rules as permissions
from django.core.exceptions import PermissionDenied
from django.db import transaction

from accounts.models import User
from applications import emails, rules
from applications.actions import NotNow, is_as_sent, lock, move
from applications.models import Application, ChangeRequest
from ecare.journal.actions import record

BEGUN = (
    "L’établissement a déjà changé son formulaire depuis cette demande : elle ne s’annule plus. "
    "Attendez son envoi, ou changez la date à laquelle il est attendu."
)
NONE_OPEN = "Aucune demande de modification n’est en cours sur ce dossier."


def fault_of(application: Application) -> str:
    """Why the change request cannot be taken back; empty when it can."""
    if not application.change_requests.open().exists():
        return NONE_OPEN
    return "" if is_as_sent(application) else BEGUN


@transaction.atomic
def cancel_changes(application: Application, *, by: User, version: int, message: str, at: datetime) -> None:
    """The dossier goes back where it was, as it was sent. Raises NotNow or PermissionDenied."""
    application = lock(application, version=version)
    if not rules.may(by, "cancel_changes", application):
        raise PermissionDenied
    request = application.change_requests.open().first()
    if rules.may_now(by, "cancel_changes", application) and (fault := fault_of(application)):
        raise NotNow(fault)
    move(application, "cancel_changes", by=by, message=message, asked_by=request.desk if request else "")
    application.change_requests.open().update(answered_at=at, is_cancelled=True)
    emails.changes_cancelled(application, message).save()


@transaction.atomic
def move_due_date(
    application: Application, *, by: User, version: int, due_on: date | None, message: str
) -> ChangeRequest:
    """Earlier, later, or none at all. Raises NotNow or PermissionDenied."""
    application = lock(application, version=version)
    request = application.change_requests.open().first()
    if request is None:
        raise NotNow(NONE_OPEN)
    if not permissions.test_rule("act_as_asker", by, application):
        raise PermissionDenied
    if request.due_on == due_on:
        raise NotNow("La correction est déjà attendue pour ce jour : rien n’a changé.")
    data = {
        "before": request.due_on.isoformat() if request.due_on else "",
        "after": due_on.isoformat() if due_on else "",
    }
    request.due_on = due_on
    request.save(update_fields=["due_on"])
    record(application.subject, "move_due_date", actor=by.actor, message=message, data=data)
    emails.due_date_moved(application, request, message).save()
    return request
