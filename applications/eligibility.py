"""Who may apply to a domain, and why not: for the pages that say it before anybody applies."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches
from enum import StrEnum

from django.db.models import Case, CharField, Exists, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce

from applications.models import Domain
from applications.money import Ceiling, ceilings
from applications.rules import Calendar, calendar
from establishments.models import Establishment, Ght, LegalEntity, words_of


class Reason(StrEnum):
    """Why an entity or an establishment may not apply."""

    CLOSED = "closed"
    MEMBER = "member"
    UNKNOWN_STATUS = "unknown_status"
    NOT_HOSPITAL = "not_hospital"
    UNKNOWN_REGION = "unknown_region"
    KIND = "kind"


@dataclass(frozen=True)
class Eligibility:
    """Whether an establishment may apply to a domain, dates apart; `reason` is None when it may."""

    domain: Domain
    reason: Reason | None = None

    def __bool__(self) -> bool:
        return self.reason is None


def is_eligible(domain: Domain, establishment: Establishment) -> Eligibility:
    """The domain says which kinds; that the establishment is a hospital, and for a group stands behind its support
    establishment, is what the directory made it of."""
    if establishment.closed_on is not None:
        return Eligibility(domain, Reason.CLOSED)
    if establishment.kind not in domain.kinds:
        return Eligibility(domain, Reason.KIND)
    return Eligibility(domain)


@dataclass(frozen=True)
class Offer:
    """What a domain holds out to an establishment: whether it may apply, when, and up to how much."""

    domain: Domain
    calendar: Calendar
    eligibility: Eligibility
    ceiling: Ceiling


def offers(
    domains: Iterable[Domain],
    establishment: Establishment,
    at: datetime,
    extended: Mapping[tuple[int, str], date] | None = None,
) -> list[Offer]:
    """`extended`: the days given to this establishment, for pages that only its own people read."""
    domains = list(domains)
    found = ceilings(domains, establishment)
    return [
        Offer(domain, calendar(domain, at, extended), is_eligible(domain, establishment), found[domain.pk])
        for domain in domains
    ]


def group_of(entity: LegalEntity) -> Ght | None:
    """The open group through which a public entity applies: never alone, be it the support establishment."""
    if not entity.is_public:
        return None
    return entity.ghts.filter(closed_on=None).select_related("support").order_by("code").first()


def why_not_alone(entity: LegalEntity, group: Ght | None) -> Reason:
    """Why an entity that the directory made no establishment of may not apply alone (see `may_apply` there)."""
    if entity.closed_on is not None:
        return Reason.CLOSED
    if group is not None:
        return Reason.MEMBER
    if not entity.legal_status:
        return Reason.UNKNOWN_STATUS
    if not any(site.is_hospital for site in entity.sites.filter(closed_on=None)):
        return Reason.NOT_HOSPITAL
    return Reason.UNKNOWN_REGION


# --- who is meant -------------------------------------------------------------------------------------------------
FOUND = ("number", "title", "place", "kind", "group", "closed", "rank")
_NUMBER = re.compile(r"[0-9][0-9AB][0-9]{7}|[0-9]{14}")
CLOSE_ENOUGH, MOST_GUESSES = 0.75, 4


def number_in(words: str) -> str:
    """The FINESS, SIREN or SIRET number that was typed, spaces and dots forgiven; else an empty string."""
    number = re.sub(r"[\s.\-]", "", words).upper()
    return number if _NUMBER.fullmatch(number) else ""


def search(words: str):
    """Rows of `FOUND`: groups first, then their members, public entities outside groups, private ones, the rest."""
    establishments, entities = Establishment.objects.all(), LegalEntity.objects.all()
    if number := number_in(words):
        entities = entities.filter(pk__in=_numbered(number))
        is_one = Q(ght=None, legal_entity__in=entities) | Q(ght__members__in=entities)
        establishments = establishments.filter(pk__in=establishments.filter(is_one))
    else:
        establishments, entities = establishments.matching(words), entities.matching(words)
    alone = Establishment.objects.filter(ght=None, legal_entity=OuterRef("pk"))
    groups = Ght.objects.filter(closed_on=None, members=OuterRef("pk")).order_by("code").values("code")[:1]
    entities = entities.exclude(Exists(alone)).annotate(
        number=F("finess"),
        title=F("name"),
        place=F("town"),
        kind=Value("", CharField()),
        group=Coalesce(Subquery(groups), Value("")),
        closed=F("closed_on"),
        rank=Case(When(group="", then=Value(4)), default=Value(1)),
    )
    establishments = establishments.annotate(
        number=Coalesce("ght__code", "legal_entity__finess"),
        title=F("name"),
        place=F("legal_entity__town"),
        group=Coalesce("ght__code", Value("")),
        closed=F("closed_on"),
        rank=Case(When(kind="ght", then=Value(0)), When(kind="public", then=Value(2)), default=Value(3)),
    )
    rows = [found.order_by().values(*FOUND) for found in (establishments, entities)]
    return rows[0].union(rows[1], all=True).order_by("rank", "title", "number")


def _numbered(number: str):
    """The entities that bear the number, or whose site bears it."""
    if len(number) == 14:
        is_it = Q(sites__siret=number)
    else:
        is_it = Q(finess=number) | Q(siren=number) | Q(sites__finess=number)
    return LegalEntity.objects.filter(is_it).values("pk")


def nearest(words: str) -> str:
    """What may have been meant when nothing matches: words that match nothing become the nearest one, or go."""
    known: set[str] | None = None
    kept = []
    for word in words_of(words)[:MOST_GUESSES]:
        if search(word).exists():
            kept.append(word)
            continue
        known = known or _vocabulary()
        kept += get_close_matches(word, known, n=1, cutoff=CLOSE_ENOUGH)
    return " ".join(kept)


def _vocabulary() -> set[str]:
    """Every word by which an establishment is found, numbers left out."""
    texts = Establishment.objects.values_list("search_text", flat=True)
    return {word for text in texts for word in text.split() if word.isalpha() and len(word) > 2}
