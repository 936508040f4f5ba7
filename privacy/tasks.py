"""What beat wakes the workers for."""

from celery import shared_task
from django.utils import timezone

from privacy import actions


@shared_task
def forget() -> None:
    """Accounts that were closed long ago."""
    actions.erase_long_closed(timezone.now())
