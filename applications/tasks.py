"""Doors of the worker."""

import logging

from celery import shared_task
from django.utils import timezone

from applications import actions, closures, digests, reminders
from applications.models import Application
from applications.states import State

log = logging.getLogger(__name__)


@shared_task
def open_declarations() -> int:
    """Open every declaration whose day has come, each in its own transaction: one that fails holds back no other."""
    now, opened = timezone.now(), 0
    for application in (
        Application.objects.filter(state=State.CONVENTION_SIGNED).select_related("domain").order_by("pk")
    ):
        try:
            opened += actions.open_declaration(application, at=now)
        except Exception:
            log.exception("The declaration of %s could not be opened", application.reference)
    return opened


@shared_task
def remind() -> int:
    """Write the reminders of the day; as often as one likes."""
    return reminders.remind(timezone.now())


@shared_task
def alert_of_closures() -> int:
    """Tell the agents of establishments that the directory closed; as often as one likes."""
    return closures.alert_of_closures()


@shared_task
def write_digests() -> int:
    """Write the Monday letters of the agents; as often as one likes."""
    return digests.write_digests(timezone.now())
