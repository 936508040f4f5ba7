"""Figures of the imports of the directory."""

from collections.abc import Iterator

from django.db.models import Count, Min
from django.utils import timezone

from ecare.metrics import Measure, seconds_since
from establishments.models import ImportRequest


def measures() -> Iterator[Measure]:
    found = ImportRequest.objects.filter(state__in=ImportRequest.RUNNABLE)
    told = found.aggregate(count=Count("pk"), oldest=Min("asked_at"))
    yield Measure("ecare_imports_waiting", "Imports of the directory that wait or run.", told["count"])
    oldest = seconds_since(told["oldest"], timezone.now())
    yield Measure("ecare_imports_oldest_seconds", "Since the oldest of them was asked for.", oldest)
