"""What beat wakes the workers for."""

from celery import shared_task
from django.utils import timezone

from accounts import retention


@shared_task
def forget() -> None:
    """What is kept of people only for a time."""
    retention.forget(timezone.now())
