"""The verbs of a subscription: created, changed, its secret renewed, suspended, resumed, ended."""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from applications.actions import NotNow
from ecare.journal.actions import SYSTEM, record
from webhooks import deliveries, emails, payloads, rules
from webhooks.models import Delivery, Subscription

State = Subscription.State
TYPED = ["address", "all_states", "states", "all_domains", "all_regions"]
STALE = "Le secret a été renouvelé depuis l’affichage de cette page. Rechargez-la, puis recommencez si besoin."
GIVEN_UP = "Suspendu par eCaRE : rien n’a été reçu depuis plusieurs jours."


@transaction.atomic
def create(subscription: Subscription, *, by: tuple[str, str], at: datetime) -> str:
    """Save a checked one, with its secret, which is returned this once and never told again."""
    secret = payloads.new_secret()
    subscription.secret, subscription.secret_at = payloads.sealed(secret), at
    subscription.save()
    record(subscription.subject, "create_subscription", actor=by, data=_told(subscription))
    return secret


def _told(subscription: Subscription) -> dict:
    return {"system": subscription.system.name, "address": subscription.address}


@transaction.atomic
def change(subscription: Subscription, changed: list[str], *, by: tuple[str, str]) -> None:
    """Keep what an administrator typed, and nothing else of the row: workers write there too. Raises NotNow."""
    refuse_unless(_lock(subscription), State.ACTIVE, State.SUSPENDED)
    subscription.save(update_fields=TYPED)
    record(subscription.subject, "change_subscription", actor=by, data=_told(subscription) | {"changed": changed})


def _lock(subscription: Subscription) -> Subscription:
    return Subscription.objects.locked().select_related("system").get(pk=subscription.pk)


def refuse_unless(subscription: Subscription, *states: str) -> None:
    """Raises NotNow."""
    if subscription.state not in states:
        raise NotNow(
            f"Cet abonnement est {subscription.get_state_display().lower()} : cette action n’est pas possible."
        )


@transaction.atomic
def rotate_secret(
    subscription: Subscription, *, shown: int, keep_former: bool, by: tuple[str, str], at: datetime
) -> str:
    """A new secret, returned this once; the former one signs beside it for a while, unless it leaked. Raises NotNow."""
    subscription = _lock(subscription)
    refuse_unless(subscription, State.ACTIVE, State.SUSPENDED)
    if subscription.secret_number != shown:
        raise NotNow(STALE)
    former, secret = subscription.secret, payloads.new_secret()
    subscription.former_secret, subscription.former_until = (
        (former, at + rules.OVERLAP) if keep_former else (None, None)
    )
    subscription.secret, subscription.secret_at = payloads.sealed(secret), at
    subscription.secret_number += 1
    subscription.save(update_fields=["secret", "secret_at", "secret_number", "former_secret", "former_until"])
    data = {"number": subscription.secret_number, "keeps_former": keep_former}
    record(subscription.subject, "rotate_secret", actor=by, data=data)
    return secret


@transaction.atomic
def suspend(subscription: Subscription, *, by: tuple[str, str]) -> None:
    """Nothing leaves until it is resumed; what happens meanwhile waits. Raises NotNow."""
    subscription = _lock(subscription)
    refuse_unless(subscription, State.ACTIVE)
    _suspend(subscription, "Suspendu par un administrateur.", by=by)


def _suspend(subscription: Subscription, remark: str, *, by: tuple[str, str]) -> None:
    subscription.state, subscription.remark = State.SUSPENDED, remark
    subscription.save(update_fields=["state", "remark"])
    record(subscription.subject, "suspend_subscription", actor=by, data=_told(subscription))


def suspend_failing(at: datetime) -> int:
    """For the worker: whoever received nothing for days is suspended, and told so. Returns how many."""
    failing = Subscription.objects.live().exclude(failing_since=None)
    return sum(_give_up(one, at) for one in failing if rules.is_given_up(one, at))


@transaction.atomic
def _give_up(subscription: Subscription, at: datetime) -> bool:
    subscription = _lock(subscription)
    if subscription.state != State.ACTIVE or not rules.is_given_up(subscription, at):
        return False
    _suspend(subscription, GIVEN_UP, by=SYSTEM)
    emails.notifications_suspended(subscription).save()
    for administrator in User.objects.administrators():
        emails.subscription_suspended(subscription, administrator).save()
    return True


@transaction.atomic
def resume(subscription: Subscription, *, by: tuple[str, str], at: datetime) -> int:
    """What waited leaves, with all its attempts before it. Returns how many wait; raises NotNow."""
    subscription = _lock(subscription)
    refuse_unless(subscription, State.SUSPENDED)
    subscription.state, subscription.remark, subscription.failures = State.ACTIVE, "", 0
    subscription.failing_since = subscription.resting_until = None
    subscription.save(update_fields=["state", "remark", "failures", "failing_since", "resting_until"])
    waiting = subscription.deliveries.filter(state=Delivery.State.WAITING).update(attempts=0, next_attempt=at)
    record(subscription.subject, "resume_subscription", actor=by, data=_told(subscription) | {"waiting": waiting})
    return waiting


@transaction.atomic
def end(subscription: Subscription, *, by: tuple[str, str], at: datetime) -> None:
    """For good: its secrets go, what waited is cancelled, its journal stays. Raises NotNow."""
    subscription = _lock(subscription)
    refuse_unless(subscription, State.ACTIVE, State.SUSPENDED)
    subscription.state, subscription.remark, subscription.secret = State.ENDED, "", None
    subscription.former_secret = subscription.former_until = None
    subscription.save(update_fields=["state", "remark", "secret", "former_secret", "former_until"])
    deliveries.cancel_waiting(subscription, at=at)
    record(subscription.subject, "end_subscription", actor=by, data=_told(subscription))
