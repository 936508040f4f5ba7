"""Sums of money of many dossiers, in whole cents: the one place where the page learns of amounts."""

from collections.abc import Iterable
from typing import NamedTuple

from applications.models import Domain
from applications.money import Ceilings, commitment
from applications.states import State
from steering.readers.counts import GROUP
from steering.rules import COMMITTED


class Sums(NamedTuple):
    """Of the dossiers of one domain, region and kind; `requested` is None where no form asks for an amount."""

    domain: int
    region: str
    kind: str
    requested: int | None
    committed: int


def add_up(dossiers, domains: list[Domain]) -> list[Sums]:
    """What was asked for when candidatures were last sent (withdrawn ones apart), and what those accepted commit.

    Four queries, whatever the number of dossiers.
    """
    by_pk = {domain.pk: domain for domain in domains}
    ceilings = Ceilings(domains)
    sent = dossiers.exclude(candidature_submitted_at=None).exclude(state=State.WITHDRAWN)
    place = ("establishment__ght", "establishment__legal_entity")
    rows = sent.order_by().values_list(*GROUP, "state", *place, "requested")
    sums: dict[tuple, list] = {}
    for domain, region, kind, state, ght, entity, requested in rows.iterator(chunk_size=5_000):
        of_group = sums.setdefault((domain, region, kind), [None, 0])
        of_group[0] = sum_of([of_group[0], requested or None])
        if state in COMMITTED:
            ceiling = ceilings.cents(by_pk[domain], kind=kind, ght=ght, entity=entity)
            of_group[1] += commitment(by_pk[domain], ceiling=ceiling, requested=requested or None)
    return [Sums(*group, *both) for group, both in sums.items()]


def sum_of(amounts: Iterable[int | None]) -> int | None:
    """Of the amounts that are known; None when none is."""
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if known else None
