"""A worker's round: take what is due, send it, say what became of it."""

import logging
import time

from django.utils import timezone

from ecare import tracing
from webhooks import deliveries, payloads
from webhooks.models import Delivery
from webhooks.posts import Outcome, post

logger = logging.getLogger(__name__)
ROUND = 20  # deliveries, or seconds after which none is begun: the next tick goes on
FAULT = "L’envoi a échoué de notre côté. Il est essayé de nouveau ; si cela dure, prévenez l’équipe technique."


def deliver() -> int:
    """Returns how many were sent, whatever their fate."""
    sent, stop_at = 0, time.monotonic() + ROUND
    while sent < ROUND and time.monotonic() < stop_at:
        delivery = deliveries.claim(timezone.now())
        if delivery is None:
            break
        with tracing.work("delivery", delivery.pk, request_id=delivery.request_id):
            send(delivery)
        sent += 1
    return sent


def send(delivery: Delivery) -> Outcome | None:
    """Of one that this worker holds; None when it is no longer wanted."""
    if not deliveries.is_wanted(delivery):
        deliveries.cancel(delivery)
        return None
    outcome = _post(delivery)
    deliveries.mark(
        delivery,
        is_received=outcome.is_received,
        at=timezone.now(),
        status=outcome.status,
        duration=outcome.duration,
        error=outcome.error,
        answer=outcome.answer,
    )
    return outcome


def _post(delivery: Delivery) -> Outcome:
    try:
        body = payloads.body_of(delivery)
        headers = payloads.headers_of(delivery, body, at=timezone.now())
        return post(delivery.subscription.address, body, headers)
    except Exception as fault:  # noqa: BLE001 # a lost key, a fault of ours: an attempt all the same; no word of it
        logger.error("delivery %s could not be sent: %s", delivery.pk, type(fault).__name__)
        return Outcome(None, 0, error=FAULT)
