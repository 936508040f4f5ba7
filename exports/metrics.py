"""Figures of the exports."""

from collections.abc import Iterator

from django.db.models import Count, Min
from django.utils import timezone

from ecare.metrics import Measure, seconds_since
from exports.models import Export


def measures() -> Iterator[Measure]:
    told = Export.objects.unfinished().aggregate(count=Count("pk"), oldest=Min("created_at"))
    yield Measure("ecare_exports_waiting", "Exports that wait or are being built.", told["count"])
    oldest = seconds_since(told["oldest"], timezone.now())
    yield Measure("ecare_exports_oldest_seconds", "Since the oldest of them was asked for.", oldest)
