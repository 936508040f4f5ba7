"""What a domain would pay an establishment, and how that is computed. All amounts are whole cents."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from applications.models import Application, Bracket, Domain
from establishments.models import Activity, Establishment, Ght, LegalEntity


class Basis(StrEnum):
    """What a ceiling rests on."""

    SCALE = "scale"
    FLOOR = "floor"  # the scale gives less than the floor
    NO_ACTIVITY = "no_activity"  # the directory knows none: the floor
    NO_SCALE = "no_scale"  # none is loaded for this kind: the floor


@dataclass(frozen=True)
class Share:
    """The combined activity of one legal entity; None when the directory knows none for that year."""

    entity: LegalEntity
    days: int | None


@dataclass(frozen=True)
class Ceiling:
    """The ceiling of an establishment in a domain, with all that a page needs to show how it is computed."""

    domain: Domain
    establishment: Establishment
    year: int | None
    shares: tuple[Share, ...]
    bracket: Bracket | None

    @property
    def days(self) -> int | None:
        """The combined activity: of a group the sum of its members', of an entity its own, which covers its sites."""
        known = [share.days for share in self.shares if share.days is not None]
        return sum(known) if known else None

    @property
    def unknown(self) -> list[LegalEntity]:
        """The members that the sum had to leave out."""
        return [share.entity for share in self.shares if share.days is None]

    def share_of(self, finesses: Iterable[str]) -> int | None:
        """Percentage of the combined activity that these legal entities make, rounded down; None when it is unknown."""
        if not self.days:
            return None
        counted = frozenset(finesses)
        return 100 * sum(share.days or 0 for share in self.shares if share.entity.finess in counted) // self.days

    @property
    def floor(self) -> int:
        return self.domain.floor

    @property
    def basis(self) -> Basis:
        if self.days is None:
            return Basis.NO_ACTIVITY
        if self.bracket is None:
            return Basis.NO_SCALE
        return Basis.SCALE if self.bracket.ceiling >= self.floor else Basis.FLOOR

    @property
    def cents(self) -> int:
        return max(self.floor, self.bracket.ceiling) if self.bracket else self.floor


def ceiling(domain: Domain, establishment: Establishment) -> Ceiling:
    return ceilings([domain], establishment)[domain.pk]


def ceilings(domains: Iterable[Domain], establishment: Establishment) -> dict[int, Ceiling]:
    """By primary key of the domain; three queries, however many domains and members."""
    domains = list(domains)
    activities = {
        entity: {activity.year: activity.days for activity in entity.activities.all()}
        for entity in _entities_of(establishment)
    }
    brackets = list(Bracket.objects.filter(domain__in=domains, kind=establishment.kind))
    return {domain.pk: _ceiling(domain, establishment, activities, brackets) for domain in domains}


def ceilings_of(dossiers: Iterable[Application]) -> dict[int, Ceiling]:
    """By primary key of the dossier, for many at once: four queries, however many establishments and members."""
    dossiers = list(dossiers)
    whose = _activities_of_many({dossier.establishment_id: dossier.establishment for dossier in dossiers})
    brackets: dict[tuple[int, str], list[Bracket]] = {}
    for bracket in Bracket.objects.filter(domain__in={dossier.domain_id for dossier in dossiers}):
        brackets.setdefault((bracket.domain_id, bracket.kind), []).append(bracket)
    return {
        dossier.pk: _ceiling(
            dossier.domain,
            dossier.establishment,
            whose[dossier.establishment_id],
            brackets.get((dossier.domain_id, dossier.establishment.kind), []),
        )
        for dossier in dossiers
    }


def _activities_of_many(establishments: dict[int, Establishment]) -> dict[int, dict[LegalEntity, dict[int, int]]]:
    """Of each establishment, the entities of `_entities_of` with their days by year."""
    whose = {pk: [one.legal_entity_id] for pk, one in establishments.items() if not one.ght_id}
    groups = {one.ght_id: pk for pk, one in establishments.items() if one.ght_id}
    whose |= {pk: [] for pk in groups.values()}
    links = Ght.members.through.objects.filter(ght__in=list(groups), legalentity__closed_on=None)
    for group, entity in links.values_list("ght_id", "legalentity_id"):
        whose[groups[group]].append(entity)
    entities = LegalEntity.objects.in_bulk({pk for pks in whose.values() for pk in pks})
    days: dict[int, dict[int, int]] = {pk: {} for pk in entities}
    activities = Activity.objects.filter(legal_entity__in=list(entities))
    for entity, year, count in activities.values_list("legal_entity_id", "year", "days"):
        days[entity][year] = count
    return {pk: {entities[entity]: days[entity] for entity in pks} for pk, pks in whose.items()}


def _entities_of(establishment: Establishment):
    """Whose activity counts: the open members of a group, or the entity itself for all its sites."""
    entities = LegalEntity.objects.prefetch_related("activities")
    if establishment.ght_id:
        return entities.filter(ghts=establishment.ght_id, closed_on=None)
    return entities.filter(pk=establishment.legal_entity_id)


def _ceiling(domain: Domain, establishment: Establishment, activities: dict, brackets: list[Bracket]) -> Ceiling:
    years = {year for known in activities.values() for year in known}
    year = domain.activity_year or max(years, default=None)
    shares = tuple(Share(entity, known.get(year)) for entity, known in activities.items())
    found = Ceiling(domain, establishment, year, shares, bracket=None)
    days = found.days
    if days is None:
        return found
    mine = (one for one in brackets if one.domain_id == domain.pk and one.holds(days))
    return Ceiling(domain, establishment, year, shares, bracket=next(mine, None))


def payment(domain: Domain, *, ceiling: int, accepted: int) -> int:
    """What is paid once every objective is validated: nothing without an accepted expense, unless it is a lump sum."""
    if domain.payment == Domain.Payment.LUMP_SUM:
        return ceiling
    return max(domain.floor, min(ceiling, accepted)) if accepted > 0 else 0


def commitment(domain: Domain, *, ceiling: int, requested: int | None) -> int:
    """What counts against the envelope from acceptance on."""
    if domain.commitment == Domain.Commitment.CEILING or requested is None:
        return ceiling
    return min(ceiling, requested)


def faults_of(brackets: Iterable[Bracket]) -> Iterator[tuple[Bracket, str]]:
    """What is wrong with the brackets of one domain and kind: a scale leaves no day out and gives none two ceilings."""
    expected: int | None = 0
    for bracket in sorted(brackets, key=lambda one: one.days_from):
        if expected is None:
            yield bracket, "la tranche précédente est sans limite."
        elif bracket.days_from != expected:
            yield bracket, f"la tranche commence à {bracket.days_from} journées, {expected} est attendu."
        if bracket.days_until is not None and bracket.days_until < bracket.days_from:
            yield bracket, "la tranche finit avant de commencer."
        expected = None if bracket.days_until is None else bracket.days_until + 1
        last = bracket
    if expected:
        yield last, "c’est la dernière tranche : sa fin doit rester vide (sans limite)."
