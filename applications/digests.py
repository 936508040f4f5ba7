"""The Monday letter of an agent: how much waits on their desk, how long, what is late.

It tells of what waited on Monday at 8 in Paris and still does, so that a worker that starts late writes the same. Each
is written once a week (`Letter.once`), and asked about again when it leaves.
"""

import logging
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction

from accounts.models import User
from applications import emails
from applications.models import Application, Domain
from applications.states import Desk as Side
from ecare.clock import PARIS, paris_day
from ecare.letters.models import Letter

log = logging.getLogger(__name__)

HOUR = time(8)
LATEST = timedelta(days=2)  # after Monday at 8: a worker that was down for longer leaves it to the next week
NAMED = 20  # late dossiers by their name


@dataclass(frozen=True)
class Waiting:
    """A dossier on a desk, and for how many days of Paris."""

    application: Application
    days: int


@dataclass(frozen=True)
class Desk:
    """What waits for one agent, the oldest first."""

    waiting: list[Waiting]

    @property
    def oldest(self) -> Waiting:
        return self.waiting[0]

    @property
    def by_domain(self) -> list[tuple[Domain, int]]:
        domains = {one.application.domain_id: one.application.domain for one in self.waiting}
        counts = Counter(one.application.domain_id for one in self.waiting)
        return [(domain, counts[pk]) for pk, domain in sorted(domains.items(), key=lambda item: item[1].position)]

    @property
    def late(self) -> list[Waiting]:
        return [one for one in self.waiting if one.days > settings.LATE_AFTER_DAYS]


def write_digests(at: datetime) -> int:
    """Write the letters of the week that nobody wrote yet, each in its own transaction. Returns how many."""
    since = monday_of(at)
    if not since <= at < since + LATEST:
        return 0
    agents = _agents().filter(date_joined__lte=since).prefetch_related("regions")
    keys = {_key(agent, since): agent for agent in agents.order_by("pk")}
    written = set(Letter.objects.filter(once__in=keys).values_list("once", flat=True))
    missing = {key: agent for key, agent in keys.items() if key not in written}
    if not missing:
        return 0
    waiting = list(_on_desks(since))
    return sum(_write(agent, desk_of(agent, waiting, at), key) for key, agent in missing.items())


def monday_of(at: datetime) -> datetime:
    """Monday at 8 in Paris, of the week of that instant."""
    day = paris_day(at)
    return datetime.combine(day - timedelta(days=day.weekday()), HOUR, tzinfo=PARIS)


def desk_of(agent: User, waiting: list[Application], at: datetime) -> Desk:
    """Of the dossiers that wait, those that wait for this agent."""
    today = paris_day(at)
    return Desk([Waiting(one, (today - paris_day(one.moved_at)).days) for one in _of(agent, waiting)])


def is_still_true(letter: Letter, at: datetime) -> bool:
    """Asked when the letter leaves: the agent still wants it, and something still waits for them."""
    agent = _agents().filter(email__iexact=letter.recipient).first()
    return agent is not None and bool(_of(agent, _on_desks(at)))


def _agents():
    return User.objects.filter(role__in=[User.Role.ARS, User.Role.ANS], is_active=True, wants_weekly_letter=True)


def _on_desks(since: datetime):
    found = Application.objects.filter(desk__in=Side, moved_at__lte=since)
    return found.select_related("domain", "establishment__ght", "establishment__legal_entity").order_by(
        "moved_at", "pk"
    )


def _of(agent: User, waiting) -> list[Application]:
    """Those that lie on this agent's desk."""
    if agent.is_ans:
        return [one for one in waiting if one.desk == Side.ANS]
    regions = {region.pk for region in agent.regions.all()}
    return [one for one in waiting if one.desk == Side.ARS and one.establishment.region_id in regions]


def _key(agent: User, since: datetime) -> str:
    return f"user:{agent.pk}:desk:{paris_day(since).isoformat()}"


def _write(agent: User, desk: Desk, key: str) -> bool:
    """One that cannot be written holds back no other; nothing where nothing waits."""
    if not desk.waiting:
        return False
    try:
        with transaction.atomic():
            letter = emails.desk_digest(agent, desk, named=NAMED)
            letter.once = key
            letter.save()
    except IntegrityError:
        return False  # another worker wrote it meanwhile
    except Exception:
        log.exception("The Monday letter of user %s could not be written", agent.pk)
        return False
    return True
