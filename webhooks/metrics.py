"""Figures of what systems are told."""

from collections.abc import Iterator

from django.db.models import Count, Min
from django.utils import timezone

from ecare.metrics import Measure, seconds_since
from webhooks.models import Delivery, Subscription


def measures() -> Iterator[Measure]:
    told = Delivery.objects.waiting().aggregate(count=Count("pk"), oldest=Min("created_at"))
    yield Measure("ecare_webhooks_waiting", "Notifications that no system has received yet.", told["count"])
    oldest = seconds_since(told["oldest"], timezone.now())
    yield Measure("ecare_webhooks_oldest_seconds", "Since the oldest of them was written.", oldest)
    counts = dict(Subscription.objects.order_by().values_list("state").annotate(Count("pk")))
    by_state = {str(state): counts.get(state, 0) for state in Subscription.State}
    yield Measure("ecare_webhook_subscriptions", "Subscriptions by state.", by_state, label="state")
