"""Doors of the worker."""

from celery import shared_task
from django.utils import timezone

from systems import reminders


@shared_task
def remind() -> int:
    """Write the reminders of the day; as often as one likes."""
    return reminders.remind(timezone.now())
