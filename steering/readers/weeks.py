"""What happened in each ISO week of Paris."""

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import Count

from applications.states import State
from ecare.clock import PARIS, paris_day
from steering.readers.counts import journal_of
from steering.readers.instants import UtcHour

WEEK = timedelta(weeks=1)
# What a move to each state tells; of the first sendings the dossiers themselves do.
DECISIONS = {
    State.ACCEPTED: "accepted",
    State.REJECTED: "rejected",
    State.DECLARATION_REJECTED: "rejected",
    State.VALIDATED: "validated",
}


def monday_of(day: date) -> date:
    """The first day of its ISO week, which names the week."""
    return day - timedelta(days=day.weekday())


def opening_of(monday: date) -> datetime:
    """The instant at which a week begins in Paris."""
    return datetime.combine(monday, time(), tzinfo=PARIS)


def weeks_between(first: date, last: date) -> list[date]:
    """Every Monday from one to the other, both included."""
    return [first + rank * WEEK for rank in range((last - first) // WEEK + 1)]


def happened(dossiers, *, since: date | None, until: datetime) -> dict[str, Counter[date]]:
    """By event, then by week. Two queries. `since`: a Monday; None for the first week in which anything happened."""
    told = {"sent": _by_week(_first_sendings(dossiers, since, until))}
    moves = journal_of(dossiers).filter(to_state__in=DECISIONS, at__lte=until)
    if since:
        moves = moves.filter(at__gte=opening_of(since))
    rows = list(moves.order_by().annotate(hour=UtcHour("at")).values_list("to_state", "hour").annotate(Count("pk")))
    for event in ("accepted", "rejected", "validated"):
        told[event] = _by_week((hour, number) for state, hour, number in rows if DECISIONS[State(state)] == event)
    return told


def first_sendings(dossiers, *, since: date, until: datetime) -> dict[int, Counter[date]]:
    """By domain, then by week: one query."""
    found: dict[int, Counter[date]] = {}
    for domain, hour, number in _first_sendings(dossiers, since, until, "domain"):
        found.setdefault(domain, Counter()).update(_by_week([(hour, number)]))
    return found


def _first_sendings(dossiers, since: date | None, until: datetime, *group: str):
    sent = dossiers.filter(candidature_submitted_at__lte=until)
    if since:
        sent = sent.filter(candidature_submitted_at__gte=opening_of(since))
    hours = sent.order_by().annotate(hour=UtcHour("candidature_submitted_at"))
    return hours.values_list(*group, "hour").annotate(Count("pk"))


def _by_week(hours) -> Counter[date]:
    weeks: Counter[date] = Counter()
    for hour, number in hours:
        instant = datetime.strptime(hour, "%Y-%m-%d %H").replace(tzinfo=UTC)
        weeks[monday_of(paris_day(instant))] += number
    return weeks
