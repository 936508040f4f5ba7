"""How many dossiers stand where: one query for every count of the page."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Count, Exists, Min, OuterRef, Q, Value
from django.db.models.functions import Concat

from applications.states import State
from ecare.journal.models import Entry
from steering.rules import ACCEPTED, LATE_DAYS, ON_A_DESK, VALIDATED

GROUP = ("domain", "establishment__region", "establishment__kind")


class Cell(NamedTuple):
    """The dossiers of one domain, region, kind and state."""

    domain: int
    region: str
    kind: str
    state: str
    begun: int
    sent: int
    signed: int
    declared: int
    validated: int
    waiting_since: datetime
    late: tuple[int, ...]  # for more than each of LATE_DAYS

    @property
    def accepted(self) -> int:
        return self.begun if self.state in ACCEPTED else 0

    @property
    def paid(self) -> int:
        return self.begun if self.state == State.PAID else 0


MEASURES = ("begun", "sent", "accepted", "signed", "declared", "validated", "paid")


def count(dossiers, *, at: datetime) -> list[Cell]:
    """By domain, region, kind and state. A step counts once it was reached, whatever became of the dossier since."""
    late = {
        f"late_{days}": Count("pk", filter=Q(state__in=ON_A_DESK, moved_at__lt=at - timedelta(days=days)))
        for days in LATE_DAYS
    }
    rows = (
        dossiers.order_by()
        .values_list(*GROUP, "state")
        .annotate(
            begun=Count("pk"),
            sent=Count("candidature_submitted_at"),
            signed=Count("convention_signed_on"),
            declared=Count("declaration_submitted_at"),
            waiting_since=Min("moved_at"),
            **late,
        )
    )
    given_up = dict(_abandoned_once_validated(dossiers))
    found = []
    for domain, region, kind, state, begun, sent, signed, declared, since, *late_for in rows:
        validated = begun if state in VALIDATED else 0
        if state == State.ABANDONED:
            validated = given_up.get((domain, region, kind), 0)
        steps = begun, sent, signed, declared, validated
        found.append(Cell(domain, region, kind, state, *steps, since, tuple(late_for)))
    return found


def _abandoned_once_validated(dossiers) -> Iterable[tuple[tuple, int]]:
    move = Entry.objects.filter(
        subject=Concat(Value("application:"), OuterRef("reference")),
        from_state=State.VALIDATED,
        to_state=State.ABANDONED,
    )
    rows = dossiers.filter(Exists(move), state=State.ABANDONED).order_by().values_list(*GROUP).annotate(Count("pk"))
    return ((tuple(group), number) for *group, number in rows)


def journal_of(dossiers):
    """The moves of these dossiers, as the journal tells them."""
    subjects = dossiers.order_by().annotate(its_subject=Concat(Value("application:"), "reference"))
    return Entry.objects.filter(subject__in=subjects.values("its_subject")).exclude(to_state="")
