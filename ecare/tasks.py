"""What beat wakes the workers for, in no room's name."""

from celery import shared_task
from django.core.management import call_command

from ecare import health


@shared_task
def pulse() -> None:
    """A sign of life for `/sante/`."""
    health.beat_pulse()


@shared_task
def forget_sessions() -> None:
    """Remove sessions that ended: an unfinished registration leaves a name and an e-mail in one."""
    call_command("clearsessions")
