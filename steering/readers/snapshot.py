"""Everything that the pages show, as of one instant, kept for some minutes.

What the database takes long to say is kept in the cache by what the agent sees and asks for: the counts and sums of all
that they see, then, as of the same instant, the stays and the weeks of what they narrowed it to.
"""

import hashlib
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property

from django.core.cache import cache

from accounts.models import User
from applications.models import Application, Domain, Extension
from ecare.clock import paris_day
from steering.readers import amounts, counts, radar, stays, weeks
from steering.readers.amounts import Sums
from steering.readers.counts import Cell
from steering.readers.radar import Awaited, Ending
from steering.readers.stays import Stays
from steering.readers.weeks import WEEK, monday_of

KEPT_FOR = timedelta(minutes=5)
PUBLISHED_FOR = timedelta(minutes=10)
WEEKS_SHOWN = 26
# A cache outlives an update of the portal: what it keeps is read by those who know its shape alone.
SHAPE = "-".join(str(len(row._fields)) for row in (Cell, Sums, Stays, Awaited, Ending))


@dataclass
class Scope:
    """What an agent narrows the figures to; `since_opening`: weeks since the first event, not the last half-year's."""

    domains: tuple[Domain, ...]
    region: str = ""
    kind: str = ""
    since_opening: bool = False

    def holds(self, row: Cell | Sums, *, whatever_region: bool = False) -> bool:
        return (
            row.domain in self._domains
            and (whatever_region or not self.region or row.region == self.region)
            and (not self.kind or row.kind == self.kind)
        )

    @cached_property
    def _domains(self) -> list[int]:
        return [domain.pk for domain in self.domains]

    def of(self, dossiers):
        dossiers = dossiers.filter(domain__in=self._domains)
        if self.region:
            dossiers = dossiers.filter(establishment__region=self.region)
        return dossiers.filter(establishment__kind=self.kind) if self.kind else dossiers

    @property
    def key(self) -> str:
        return f"{'-'.join(map(str, self._domains))}:{self.region}:{self.kind}:{int(self.since_opening)}"


@dataclass(frozen=True)
class Snapshot:
    """`cells` and `sums`: of all that the agent sees; everything else: of the scope."""

    at: datetime
    scope: Scope
    cells: list[Cell]
    sums: list[Sums]
    stays: dict[str, Stays]
    weeks: dict[str, Counter[date]]
    awaited: list[Awaited]
    ending: list[Ending]
    mondays: list[date]

    def narrowed(self) -> list[Cell]:
        return [cell for cell in self.cells if self.scope.holds(cell)]

    def narrowed_sums(self) -> list[Sums]:
        return [row for row in self.sums if self.scope.holds(row)]


def visibility_of(user: User) -> str:
    """Those who see the same dossiers share what is kept."""
    return f"{user.role}:{','.join(sorted(user.region_codes)) if user.is_ars else ''}"


def _key(*parts: str) -> str:
    """As long for many domains and regions as for one."""
    return f"steering:{hashlib.sha256('|'.join([SHAPE, *parts]).encode()).hexdigest()}"


def take(user: User, scope: Scope, domains: list[Domain], *, at: datetime) -> Snapshot:
    """What this agent may see of the scope, as of a moment ago at most `KEPT_FOR`."""
    dossiers = Application.objects.visible_to(user)
    seen = _key(visibility_of(user))
    kept = cache.get(seen)
    if kept is None:
        cells = [tuple(cell) for cell in counts.count(dossiers, at=at)]
        kept = at, cells, [tuple(one) for one in amounts.add_up(dossiers)]
        cache.set(seen, kept, KEPT_FOR.total_seconds())
    at, cells, sums = kept
    narrowed = _key(visibility_of(user), scope.key, str(at.timestamp()))
    kept = cache.get(narrowed)
    if kept is None:
        extensions = Extension.objects.visible_to(user)
        kept = _narrowed(scope.of(dossiers), scope.of(extensions), scope, at)
        cache.set(narrowed, kept, KEPT_FOR.total_seconds())
    of_states, of_weeks, awaited, ending = kept
    return Snapshot(
        at=at,
        scope=scope,
        cells=[Cell(*row) for row in cells],
        sums=[Sums(*row) for row in sums],
        stays={state: Stays(*row) for state, row in of_states.items()},
        weeks=of_weeks,
        awaited=[Awaited(*row) for row in awaited],
        ending=[Ending(*row) for row in ending],
        mondays=_mondays(of_weeks, scope, at),
    )


def _narrowed(dossiers, extensions, scope: Scope, at: datetime) -> tuple[dict, dict, list, list]:
    since = None if scope.since_opening else first_shown(at)
    of_states = {state: tuple(row) for state, row in stays.measure(dossiers, until=at).items()}
    awaited = [tuple(row) for row in radar.awaited(dossiers, at=at)]
    ending = [tuple(row) for row in radar.ending(extensions, at=at)]
    return of_states, weeks.happened(dossiers, since=since, until=at), awaited, ending


def first_shown(at: datetime) -> date:
    """The Monday of the first of the weeks shown; the present week is the last."""
    return monday_of(paris_day(at)) - (WEEKS_SHOWN - 1) * WEEK


def _mondays(of_weeks: dict[str, Counter[date]], scope: Scope, at: datetime) -> list[date]:
    last = monday_of(paris_day(at))
    first = min((week for event in of_weeks.values() for week in event), default=last)
    return weeks.weeks_between(first if scope.since_opening else first_shown(at), last)


# --- what everybody may read -----------------------------------------------------------------------------------------
@dataclass(frozen=True)
class PublicSnapshot:
    """Of every domain but those for trial: all that its public pages say rests on one look at the database."""

    at: datetime
    cells: list[Cell]
    sendings: dict[int, Counter[date]]
    mondays: list[date]

    def of(self, domain: Domain) -> list[Cell]:
        return [cell for cell in self.cells if cell.domain == domain.pk]


def take_public(*, at: datetime) -> PublicSnapshot:
    key = _key("public")
    kept = cache.get(key)
    if kept is None:
        dossiers = Application.objects.filter(domain__is_trial=False)
        cells = [tuple(cell) for cell in counts.count(dossiers, at=at)]
        kept = at, cells, weeks.first_sendings(dossiers, since=first_shown(at), until=at)
        cache.set(key, kept, PUBLISHED_FOR.total_seconds())
    at, cells, sendings = kept
    mondays = weeks.weeks_between(first_shown(at), monday_of(paris_day(at)))
    return PublicSnapshot(at, [Cell(*row) for row in cells], sendings, mondays)
