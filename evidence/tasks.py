"""Doors of the worker."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from evidence import actions, arrivals, containers, retention, scanning


@shared_task
def warn_of_low_pools() -> int:
    """Tell the ANS of pools that will soon be empty, before a référent does."""
    return containers.warn_of_low_pools(at=timezone.now())


@shared_task
def forget_uploads() -> None:
    """Those that nobody went on with."""
    arrivals.forget(at=timezone.now())


@shared_task
def forget_drafts() -> None:
    """Those in which nobody typed any more."""
    retention.forget(timezone.now())


@shared_task
def scan() -> int:
    """The files that the antivirus has not looked at yet, or is to look at once more."""
    return scanning.scan()


@shared_task
def sweep_vault() -> None:
    """Bytes that nobody refers to any more, and that could not be deleted when it was time."""
    actions.sweep(older_than=timedelta(days=1))
