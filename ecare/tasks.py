"""What beat wakes the workers for, in no room's name."""

from celery import shared_task

from ecare import health


@shared_task
def pulse() -> None:
    """A sign of life for `/sante/`."""
    health.beat_pulse()
