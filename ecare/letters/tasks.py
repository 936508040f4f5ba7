"""What beat wakes the workers for."""

from celery import shared_task
from django.utils import timezone

from ecare.letters import actions, retention

BATCHES = 10  # a tick; the next one goes on


@shared_task
def deliver() -> None:
    """Send what is due."""
    for _ in range(BATCHES):
        if not actions.deliver():
            break


@shared_task
def gather() -> None:
    """Write the daily letters whose hour has come; nothing to do at most ticks."""
    actions.gather()


@shared_task
def forget() -> None:
    """The words of old letters."""
    retention.forget(timezone.now())
