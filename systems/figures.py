"""The statistics that machines read: those of « Pilotage », for the dossiers within the limits of a token."""

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.core.cache import cache

from applications.models import Domain
from applications.states import REVIEWER_LABELS, State
from establishments.models import Establishment, Region
from steering.readers import amounts, counts
from steering.readers.amounts import Sums
from steering.readers.counts import Cell
from systems.models import Reader
from systems.schemas import (
    Count,
    DossierDomain,
    DossierKind,
    DossierRegion,
    DossierState,
    Reached,
    Statistic,
    Sum,
)

FRESH_FOR = timedelta(minutes=5)
KEPT_FOR = timedelta(minutes=30)
"""A reading that began goes on with the figures of its first page for so long."""
SHAPE = "1"  # a cache outlives an update: another shape, another number

Key = tuple[str, str, str]
"""Domain, region, kind: the order of the rows."""


def latest(reader: Reader, *, with_amounts: bool, at: datetime) -> tuple[datetime, list[Statistic]]:
    """Everything that this reader may count, as of a moment ago."""
    limits = _limits(reader, with_amounts=with_amounts)
    pointer = cache.get(_key(limits, "latest"))
    kept = as_of(reader, with_amounts=with_amounts, at=pointer) if pointer else None
    if kept is not None:
        return pointer, kept
    rows = _count(reader, with_amounts=with_amounts, at=at)
    cache.set(_key(limits, at.isoformat()), [row.model_dump() for row in rows], KEPT_FOR.total_seconds())
    cache.set(_key(limits, "latest"), at, FRESH_FOR.total_seconds())
    return at, rows


def as_of(reader: Reader, *, with_amounts: bool, at: datetime) -> list[Statistic] | None:
    """The figures of that instant, while they are kept; the limits may have changed since: then there are none."""
    kept = cache.get(_key(_limits(reader, with_amounts=with_amounts), at.isoformat()))
    return None if kept is None else [Statistic(**row) for row in kept]


def _limits(reader: Reader, *, with_amounts: bool) -> str:
    """Readers within the same limits share what is kept."""
    domains = sorted(reader.readable_domains().values_list("pk", flat=True))
    regions = None if reader.all_regions else sorted(reader.regions.values_list("pk", flat=True))
    return repr((SHAPE, domains, regions, with_amounts))


def _key(limits: str, what: str) -> str:
    return f"systems:{hashlib.sha256(f'{limits}|{what}'.encode()).hexdigest()}"


def _count(reader: Reader, *, with_amounts: bool, at: datetime) -> list[Statistic]:
    dossiers = reader.readable_dossiers()
    names = _Names()
    cells: dict[tuple[int, str, str], list[Cell]] = {}
    for cell in counts.count(dossiers, at=at):
        cells.setdefault((cell.domain, cell.region, cell.kind), []).append(cell)
    sums = {(row.domain, row.region, row.kind): row for row in amounts.add_up(dossiers)} if with_amounts else {}
    rows = [
        names.statistic(group, found, _sum(sums.get(group)) if with_amounts else None) for group, found in cells.items()
    ]
    return sorted(rows, key=key_of)


def key_of(row: Statistic) -> Key:
    return row.domain.code, row.region.code, row.kind.code


class _Names:
    def __init__(self):
        self.domains = Domain.objects.in_bulk()
        self.regions = Region.objects.in_bulk()

    def statistic(self, group: tuple[int, str, str], cells: list[Cell], sums: Sum | None) -> Statistic:
        domain, region, kind = self.domains[group[0]], self.regions[group[1]], Establishment.Kind(group[2])
        return Statistic(
            domain=DossierDomain(code=domain.slug, name=domain.name),
            region=DossierRegion(code=region.pk, name=region.name),
            kind=DossierKind(code=kind.value, label=kind.label),
            states=_states(cells),
            reached=Reached(
                submitted=sum(cell.sent for cell in cells),
                accepted=sum(cell.accepted for cell in cells),
                convention_signed=sum(cell.signed for cell in cells),
                declared=sum(cell.declared for cell in cells),
                validated=sum(cell.validated for cell in cells),
                paid=sum(cell.paid for cell in cells),
            ),
            amounts=sums,
        )


def _states(cells: Iterable[Cell]) -> list[Count]:
    """In the order of a dossier's life."""
    order = State.values
    return [
        Count(state=DossierState(code=cell.state, label=REVIEWER_LABELS[State(cell.state)]), dossiers=cell.begun)
        for cell in sorted(cells, key=lambda cell: order.index(cell.state))
    ]


def _sum(row: Sums | None) -> Sum:
    if row is None:
        return Sum(requested=None, committed=0, validated=0, paid=0)
    return Sum(requested=row.requested, committed=row.committed, validated=row.validated, paid=row.paid)
