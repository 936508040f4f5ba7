"""What beat wakes the workers for."""

from celery import shared_task

from ecare.journal import anchors


@shared_task
def export_heads() -> None:
    """The anchor of the day; nothing to do at most ticks."""
    anchors.export_heads()
