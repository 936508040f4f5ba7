"""Doors of the worker."""

from celery import shared_task

from funding import actions


@shared_task
def warn_of_envelopes() -> int:
    """Tell the ANS of envelopes that are nearly, or wholly, taken."""
    return actions.warn_of_envelopes()
