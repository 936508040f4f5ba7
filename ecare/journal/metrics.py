"""Figures of the journal."""

from collections.abc import Iterator

from ecare.journal.models import Entry
from ecare.metrics import Measure


def measures() -> Iterator[Measure]:
    last = Entry.objects.order_by("-at").values_list("at", flat=True).first()
    stamp = last.timestamp() if last else 0
    yield Measure("ecare_journal_last_entry_timestamp_seconds", "When the last entry was written.", stamp)
