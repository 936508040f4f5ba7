"""Doors of the worker."""

from celery import shared_task
from django.utils import timezone

from exports import actions, builders


@shared_task
def build() -> bool:
    """The export whose turn it is, if any."""
    return builders.build()


@shared_task
def forget() -> int:
    """The bytes of those that expired."""
    return actions.forget(at=timezone.now())
