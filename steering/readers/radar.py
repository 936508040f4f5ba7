"""What has a last day of its own: corrections that are awaited, extensions that end. One query each."""

from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.db.models import Count, OuterRef, Q, Subquery

from applications.models import Application, ChangeRequest, Extension
from applications.states import ENDED, Step
from ecare.clock import paris_day
from steering.rules import MOST_EXTENSIONS, NEAR_DAYS, SOON_DAYS


class Awaited(NamedTuple):
    """The corrections that dossiers of one domain have yet to send, at one step."""

    domain: int
    step: str
    open: int
    soon: int
    overdue: int


class Ending(NamedTuple):
    """An extension in force of an establishment that has not sent the step yet; `reference` and `state`: of its
    dossier, if it has one."""

    name: str
    finess: str
    domain: int
    step: str
    until: date
    reference: str | None
    state: str | None


def awaited(dossiers, *, at: datetime) -> list[Awaited]:
    """By domain and step."""
    today = paris_day(at)
    soon = Q(due_on__gte=today, due_on__lte=today + timedelta(days=SOON_DAYS))
    found = ChangeRequest.objects.open().filter(application__in=dossiers.exclude(state__in=ENDED).order_by())
    rows = found.order_by("application__domain", "step").values_list("application__domain", "step")
    counts = {"open": Count("pk"), "soon": Count("pk", filter=soon), "late": Count("pk", filter=Q(due_on__lt=today))}
    return [Awaited(*row) for row in rows.annotate(**counts)]


def ending(extensions, *, at: datetime) -> list[Ending]:
    """Those that end in some weeks, or ended some weeks ago, and were not used to the end: the first to end first."""
    today = paris_day(at)
    near = Q(until__gte=today - timedelta(days=NEAR_DAYS), until__lte=today + timedelta(days=NEAR_DAYS))
    held = Application.objects.in_place().filter(domain=OuterRef("domain"), establishment=OuterRef("establishment"))
    found = extensions.filter(near, state=Extension.State.IN_FORCE).annotate(
        reference=Subquery(held.values("reference")[:1]),
        dossier_state=Subquery(held.values("state")[:1]),
        candidature_sent=Subquery(held.values("candidature_submitted_at")[:1]),
        declaration_sent=Subquery(held.values("declaration_submitted_at")[:1]),
    )
    found = found.exclude(step=Step.CANDIDATURE, candidature_sent__isnull=False)
    found = found.exclude(step=Step.DECLARATION, declaration_sent__isnull=False)
    found = found.exclude(dossier_state__in=ENDED, dossier_state__isnull=False).order_by("until", "pk")
    columns = (
        "establishment__name",
        "establishment__legal_entity__finess",
        "domain",
        "step",
        "until",
        "reference",
        "dossier_state",
    )
    return [Ending(*row) for row in found.values_list(*columns)[: MOST_EXTENSIONS + 1]]
