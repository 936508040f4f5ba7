"""Four times as many dossiers take no more memory."""

import gc
import tracemalloc

import pytest

from exports import builders
from exports.models import Export
from tests.exports.conftest import asked, content_of
from tests.exports.many import many_dossiers
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
FEW = 60
BOUND = 400_000  # a byte more for each of the 180 other dossiers would be 730,000: they are 4 kB each


def peak_of(kind, by) -> tuple[int, Export]:
    Export.objects.all().delete()
    export = asked(kind, by=by)
    gc.collect()
    tracemalloc.start()
    try:
        builders.build()
        return tracemalloc.get_traced_memory()[1], Export.objects.get(pk=export.pk)
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_dossiers(monkeypatch):
    """With small chunks and segments, so that a few dossiers fill several of each."""
    monkeypatch.setattr("exports.readers.CHUNK", 20)
    monkeypatch.setattr("evidence.vault.SEGMENT", 16 * 1024)
    kinds, agent, domain = (Export.Kind.QUEUE_CSV, Export.Kind.QUEUE_XLSX), UserFactory(ans=True), many_dossiers(FEW)
    for kind in kinds:
        peak_of(kind, agent)  # what Python keeps for ever after a first time
    few = {kind: peak_of(kind, agent) for kind in kinds}
    many_dossiers(3 * FEW, domain=domain)
    for kind in kinds:
        peak, export = peak_of(kind, agent)
        before, small = few[kind]
        assert (small.done, export.done) == (FEW, 4 * FEW)
        assert export.size > 3 * small.size and len(content_of(export)) == export.size
        assert peak - before < BOUND, (kind, before, peak)
