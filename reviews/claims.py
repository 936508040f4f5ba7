"""« X examine ce dossier »: who has taken a dossier in hand, for how long, and that nobody else decides meanwhile."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.core.exceptions import PermissionDenied
from django.db import transaction

from accounts.models import User
from applications.actions import NotNow, lock
from applications.models import Application
from ecare.french import paris_hour
from ecare.journal.actions import record
from reviews.models import Claim
from reviews.rules import may_examine

LIFETIME = timedelta(minutes=15)


class Held(NotNow):
    """A colleague examines the dossier at this moment."""

    def __init__(self, claim: Claim):
        super().__init__(
            f"{claim.agent} examine ce dossier, jusqu’à {paris_hour(claim.until)}. "
            "Pour décider à sa place, ouvrez le dossier et reprenez l’examen."
        )
        self.claim = claim


@transaction.atomic
def claim(application: Application, *, by: User, at: datetime, is_taken_over: bool = False) -> Claim:
    """Take the dossier in hand for fifteen minutes, or hold it as long again. Raises Held, NotNow or PermissionDenied.

    `is_taken_over`: from the colleague who has it now, whom the page named.
    """
    application = lock(application)
    if not (by.is_active and by.is_reviewer):
        raise PermissionDenied
    if not may_examine(by, application):
        raise NotNow("Vous n’avez rien à décider sur ce dossier dans son état actuel.")
    held = _live(application, at)
    if held and held.agent != by and not is_taken_over:
        raise Held(held)
    if held and held.agent == by:
        Claim.objects.filter(pk=held.pk).update(until=at + LIFETIME)
        held.until = at + LIFETIME
        return held
    Claim.objects.filter(application=application).delete()
    former = {"from": held.agent.actor[0], "name": str(held.agent)} if held else {}
    record(application.subject, "claim", actor=by.actor, data=former)
    return Claim.objects.create(application=application, agent=by, since=at, until=at + LIFETIME)


@transaction.atomic
def release(application: Application, *, by: User) -> bool:
    """Put the dossier down; whoever does not hold it changes nothing."""
    application = lock(application)
    gone, _ = Claim.objects.filter(application=application, agent=by).delete()
    return bool(gone)


@transaction.atomic
def decide(act: Callable, application: Application, *, by: User, now: datetime, **arguments) -> None:
    """Run a verb unless a colleague examines the dossier; once it is done nobody has it in hand. Raises Held."""
    locked = lock(application)
    held = _live(locked, now)
    if held and held.agent != by:
        raise Held(held)
    act(application, by=by, **arguments)
    Claim.objects.filter(application=application).delete()


def _live(application: Application, at: datetime) -> Claim | None:
    return Claim.objects.live(at).filter(application=application).select_related("agent").first()
