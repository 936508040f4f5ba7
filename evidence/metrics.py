"""Figures of the vault."""

from collections.abc import Iterator

from django.db.models import Count, Min, Q
from django.utils import timezone

from ecare.metrics import Measure, seconds_since
from evidence.models import StoredFile, Upload

Scan = StoredFile.Scan


def measures() -> Iterator[Measure]:
    now = timezone.now()
    pending = Q(scan=Scan.PENDING)
    told = StoredFile.objects.filter(scan__in=(Scan.PENDING, Scan.INFECTED)).aggregate(
        waiting=Count("pk", filter=pending),
        oldest=Min("created_at", filter=pending),
        infected=Count("pk", filter=Q(scan=Scan.INFECTED)),
    )
    yield Measure("ecare_scans_waiting", "Files that the scanner has not read.", told["waiting"])
    yield Measure("ecare_scans_oldest_seconds", "Since the oldest of them came.", seconds_since(told["oldest"], now))
    yield Measure("ecare_files_infected", "Files in quarantine.", told["infected"])
    coming = Upload.objects.on_their_way(now).aggregate(count=Count("pk", distinct=True), parts=Count("parts"))
    yield Measure("ecare_uploads_coming", "Files on their way.", coming["count"])
    yield Measure("ecare_upload_parts", "Parts of them that have come.", coming["parts"])
