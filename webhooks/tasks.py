"""Doors of the worker."""

from celery import shared_task
from django.utils import timezone

from webhooks import actions, couriers, deliveries


@shared_task
def deliver() -> int:
    """What is due."""
    return couriers.deliver()


@shared_task
def suspend() -> int:
    """Whoever received nothing for days."""
    return actions.suspend_failing(timezone.now())


@shared_task
def forget() -> int:
    """What ended long ago."""
    return deliveries.forget(timezone.now())
