"""A dossier as machines read it: the one place where it is decided what leaves the portal, for the API and for whoever
sends dossiers by themselves."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max, OuterRef, Q, QuerySet, Subquery, Sum

from applications.models import Application
from applications.states import BEFORE_ACCEPTANCE, ENDED, REVIEWER_LABELS, State
from ecare.clock import paris_day
from ecare.journal.models import Entry
from funding.rules import validated_decision
from systems.models import Usage
from systems.schemas import (
    Dossier,
    DossierAmounts,
    DossierDates,
    DossierDomain,
    DossierEstablishment,
    DossierKind,
    DossierRegion,
    DossierState,
)

DECIDED = (State.ACCEPTED, State.REJECTED)
NEIGHBOURS = (
    "domain",
    "establishment__region",
    "establishment__legal_entity",
    "establishment__ght",
    "commitment",
    "decision",
    "payment",
)


def represent(dossiers: Iterable[Application], *, with_amounts: bool) -> list[Dossier]:
    """In their order; a queryset in two queries however many, rows (with their `NEIGHBOURS`) in one.

    Whose dossiers may be read is the caller's query (`Reader.readable_dossiers`); what is written is
    `.model_dump(mode="json")` of each.
    """
    found = list(dossiers.select_related(*NEIGHBOURS) if isinstance(dossiers, QuerySet) else dossiers)
    decided = _decisions(found)
    return [_dossier(one, decided.get(one.subject), with_amounts=with_amounts) for one in found]


def _decisions(dossiers: Iterable[Application]) -> dict[str, datetime]:
    """By subject, when the candidature was last accepted or rejected, out of the journal."""
    moves = Entry.objects.filter(subject__in=[one.subject for one in dossiers], to_state__in=DECIDED)
    return dict(moves.order_by().values_list("subject").annotate(Max("at")))


def _dossier(application: Application, decided_at: datetime | None, *, with_amounts: bool) -> Dossier:
    establishment, state = application.establishment, State(application.state)
    return Dossier(
        reference=application.reference,
        domain=DossierDomain(code=application.domain.slug, name=application.domain.name),
        state=DossierState(code=state.value, label=REVIEWER_LABELS[state]),
        desk=application.desk or None,
        establishment=DossierEstablishment(
            finess=establishment.finess,
            ght=establishment.ght.code if establishment.ght else None,
            name=establishment.name,
            kind=DossierKind(code=establishment.kind, label=establishment.get_kind_display()),
            region=DossierRegion(code=establishment.region_id, name=establishment.region.name),
        ),
        dates=_dates(application, decided_at),
        amounts=_amounts(application) if with_amounts else None,
        changed_at=application.moved_at,
    )


def _dates(application: Application, decided_at: datetime | None) -> DossierDates:
    """A decision that was taken back is none; a withdrawal comes before any."""
    if application.candidature_submitted_at is None:
        raise ValueError(f"{application.reference} was never sent: it is its establishment's alone")
    decision, payment = validated_decision(application), getattr(application, "payment", None)
    is_open = application.state in (*BEFORE_ACCEPTANCE, State.WITHDRAWN)
    return DossierDates(
        created_at=application.created_at,
        submitted_at=application.candidature_submitted_at,
        decided_at=None if is_open else decided_at,
        convention_signed_on=application.convention_signed_on,
        declaration_submitted_at=application.declaration_submitted_at,
        validated_at=decision.validated_at if decision else None,
        paid_on=payment.paid_on if payment else None,
        ended_at=application.moved_at if application.state in ENDED else None,
    )


def _amounts(application: Application) -> DossierAmounts:
    commitment, payment = getattr(application, "commitment", None), getattr(application, "payment", None)
    decision = validated_decision(application)
    return DossierAmounts(
        requested=application.requested or None,
        ceiling=commitment.ceiling if commitment else None,
        committed=commitment.amount if commitment and commitment.released_at is None else None,
        accepted=decision.accepted if decision else None,
        granted=decision.amount if decision else None,
        paid=payment.amount if payment else None,
    )


# --- the list -----------------------------------------------------------------------------------------------------
SETTLED_AFTER = timedelta(minutes=1)
"""A change is dated when its transaction writes it, and seen when that transaction ends. The list keeps back what is
younger than any transaction lasts, so that nothing ever appears behind a cursor."""


@dataclass(frozen=True)
class Place:
    """The last dossier that was read: the next page begins after it, whatever moved meanwhile."""

    at: datetime
    pk: int

    @property
    def beyond(self) -> Q:
        """A range of the index, then ties."""
        return Q(moved_at__gte=self.at) & (Q(moved_at__gt=self.at) | Q(pk__gt=self.pk))


def page_of(dossiers: QuerySet[Application], *, after: Place | None, length: int, at: datetime):
    """The dossiers of one page in the order of their changes, where it ends, and whether there are more."""
    settled = dossiers.filter(moved_at__lte=at - SETTLED_AFTER).order_by("moved_at", "pk")
    if after is not None:
        settled = settled.filter(after.beyond)
    found = list(settled.select_related(*NEIGHBOURS)[: length + 1])
    rows = found[:length]
    last = Place(rows[-1].moved_at, rows[-1].pk) if rows else after
    return rows, last, len(found) > length


# --- who read how much --------------------------------------------------------------------------------------------
def refusals_of_a_month(at: datetime):
    """Of a token, to annotate a list of them with."""
    since = paris_day(at) - timedelta(days=30)
    days = Usage.objects.filter(token=OuterRef("pk"), day__gt=since).order_by().values("token")
    return Subquery(days.annotate(total=Sum("refusals")).values("total"))
