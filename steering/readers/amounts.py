"""Sums of money of many dossiers, in whole cents: the one place where the page learns of amounts."""

from collections.abc import Iterable
from typing import NamedTuple

from django.db.models import Sum

from applications.states import State
from funding.rules import parts_of_an_envelope
from steering.readers.counts import GROUP


class Sums(NamedTuple):
    """Of the dossiers of one domain, region and kind; `requested` is None where no form asks for an amount. A dossier
    counts once: committed, then validated, then paid."""

    domain: int
    region: str
    kind: str
    requested: int | None
    committed: int
    validated: int
    paid: int

    @property
    def taken(self) -> int:
        """What these dossiers take of the envelope."""
        return self.committed + self.validated + self.paid


def add_up(dossiers) -> list[Sums]:
    """What was asked for when candidatures were last sent (withdrawn ones apart), and what the envelope bears.

    Four queries, whatever the number of dossiers.
    """
    sent = dossiers.exclude(candidature_submitted_at=None).exclude(state=State.WITHDRAWN).filter(requested__gt=0)
    requested = _by_group(sent, "requested")
    of_application = [f"application__{name}" for name in GROUP]
    committed, validated, paid = (
        _by_group(part.filter(application__in=dossiers), "amount", of_application) for part in parts_of_an_envelope()
    )
    return [
        Sums(
            domain=group[0],
            region=group[1],
            kind=group[2],
            requested=requested.get(group),
            committed=committed.get(group, 0),
            validated=validated.get(group, 0),
            paid=paid.get(group, 0),
        )
        for group in sorted(requested.keys() | committed.keys() | validated.keys() | paid.keys())
    ]


def _by_group(rows, amount: str, group=GROUP) -> dict[tuple, int]:
    return {tuple(of): cents for *of, cents in rows.order_by().values_list(*group).annotate(Sum(amount))}


def sum_of(amounts: Iterable[int | None]) -> int | None:
    """Of the amounts that are known; None when none is."""
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if known else None
