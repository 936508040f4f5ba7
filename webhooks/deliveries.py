"""Events and what becomes of telling them: written with the move, claimed by a worker, sent outside any transaction,
marked in another. What a dead worker had in hand is taken up again when its lease has run out, under the same id."""

import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from applications.actions import NotNow
from applications.models import Application
from ecare.journal.actions import record
from webhooks import rules
from webhooks.models import Delivery, Event, Subscription

LEASE = timedelta(minutes=2)
BATCH = 1000
UNWANTED = "L’abonnement ne demande plus cet événement."
LOST = "Le portail s’est arrêté à chaque essai."
ENDED = "Cet abonnement est terminé : plus rien n’est envoyé."
State = Delivery.State


# --- what happened ------------------------------------------------------------------------------------------------
def note_move(application: Application, source: str) -> None:
    """In the transaction of the move: both are written, or neither."""
    if not rules.is_known_outside(application):
        return
    event = Event.objects.create(
        at=application.moved_at,
        reference=application.reference,
        version=application.version,
        domain=application.domain.slug,
        region=application.establishment.region_id,
        state_before=rules.told_source(source),
        state_after=application.state,
    )
    wanted = [one for one in Subscription.objects.open().about(event) if one.hears_of(event.state_after)]
    now = timezone.now()
    Delivery.objects.bulk_create(
        [Delivery(subscription=one, event=event, created_at=now, next_attempt=now) for one in wanted]
    )


# --- a worker -----------------------------------------------------------------------------------------------------
def claim(at: datetime) -> Delivery | None:
    """Take what is due at the address that was served least recently; one at a time for each address, and no more
    addresses at once than workers are spared for: whoever is slow holds back neither the others nor the letters."""
    if not Delivery.objects.due(at).filter(subscription__in=Subscription.objects.live().values("pk")).exists():
        return None
    with transaction.atomic():
        live = Subscription.objects.live().locked().order_by("pk")
        lines = [one for one in live if one.resting_until is None or one.resting_until <= at]
        held = Delivery.objects.filter(state=State.SENDING, leased_until__gt=at)
        busy = set(held.values_list("subscription", flat=True))
        if len(busy) >= settings.WEBHOOK_LANES:
            return None
        free = [one for one in lines if one.pk not in busy]
        for line in sorted(free, key=lambda one: one.served_at.timestamp() if one.served_at else 0):
            due = Delivery.objects.due(at).filter(subscription=line).select_related("subscription", "event")
            delivery = due.order_by("event_id", "pk").first()
            if delivery is not None:
                Subscription.objects.filter(pk=line.pk).update(served_at=at)
                return _take(delivery, at)
    return None


def _take(delivery: Delivery, at: datetime) -> Delivery | None:
    if delivery.attempts >= rules.MOST_ATTEMPTS:  # whoever sent it last time never came back
        _end(Delivery.objects.filter(pk=delivery.pk), State.FAILED, at=at, error=LOST)
        return None
    delivery.state, delivery.lease, delivery.leased_until = State.SENDING, uuid.uuid4(), at + LEASE
    delivery.attempts, delivery.sent_at, delivery.next_attempt = delivery.attempts + 1, at, None
    delivery.save()
    return delivery


def is_wanted(delivery: Delivery) -> bool:
    """Asked once more when it is about to leave: what is wanted, and whether anything is, may have changed since."""
    subscription = Subscription.objects.open().filter(pk=delivery.subscription_id).first()
    if delivery.event.kind == Event.Kind.TEST or subscription is None:
        return subscription is not None
    return Event.objects.wanted_by(subscription).filter(pk=delivery.event_id).exists()


@transaction.atomic
def cancel(delivery: Delivery) -> None:
    _end(_ours(delivery), State.CANCELLED, at=timezone.now(), error=UNWANTED)


@transaction.atomic
def mark(delivery: Delivery, *, is_received: bool, at: datetime, **told) -> None:
    """What became of an attempt: `told` is status, duration, error and answer. Only while the lease is ours: another
    worker's word on it stands."""
    list(_locked(delivery.subscription).values_list("pk"))  # first the address, then the delivery, as a claim does
    ours, is_test = _ours(delivery), delivery.event.kind == Event.Kind.TEST
    if is_received:
        done = _end(ours, State.DELIVERED, at=at, **told)
    elif is_test or delivery.attempts >= rules.MOST_ATTEMPTS:
        done = _end(ours, State.FAILED, at=at, **told)
    else:
        next_attempt = at + rules.pause_after(delivery.attempts)
        released = {"state": State.WAITING, "lease": None, "leased_until": None}
        done = ours.update(next_attempt=next_attempt, **released, **told)
    if done and not is_test:
        _note_health(delivery.subscription_id, is_received=is_received, at=at)


def _note_health(pk: int, *, is_received: bool, at: datetime) -> None:
    subscription = Subscription.objects.get(pk=pk)
    if is_received:
        subscription.failures, subscription.failing_since, subscription.resting_until = 0, None, None
        subscription.delivered_at = at
    else:
        subscription.failures += 1
        subscription.failing_since = subscription.failing_since or at
        subscription.resting_until = at + rules.rest_after(subscription.failures)
    subscription.save(update_fields=["failures", "failing_since", "resting_until", "delivered_at"])


def _locked(subscription: Subscription):
    return Subscription.objects.locked().filter(pk=subscription.pk)


def _ours(delivery: Delivery):
    return Delivery.objects.filter(pk=delivery.pk, lease=delivery.lease)


def _end(deliveries, state: str, *, at: datetime, **told) -> int:
    released = {"lease": None, "leased_until": None, "next_attempt": None}
    return deliveries.update(state=state, ended_at=at, **released, **told)


# --- an administrator ---------------------------------------------------------------------------------------------
@transaction.atomic
def begin_test(subscription: Subscription, *, by: tuple[str, str], at: datetime) -> Delivery:
    """A delivery in hand, which whoever asked sends at once: it is not tried again. Raises NotNow."""
    if not Subscription.objects.open().filter(pk=subscription.pk).exists():
        raise NotNow("Cet abonnement est terminé, ou son système n’est plus actif : aucun essai ne part.")
    event = Event.objects.create(kind=Event.Kind.TEST, at=at)
    leased = {"state": State.SENDING, "lease": uuid.uuid4(), "leased_until": at + LEASE, "attempts": 1, "sent_at": at}
    delivery = Delivery.objects.create(subscription=subscription, event=event, created_at=at, **leased)
    record(subscription.subject, "send_test", actor=by, data={"event": event.number})
    return delivery


def wanted_since(subscription: Subscription, since: datetime):
    """The events that « rejouer depuis » sends, whether or not they were sent before."""
    return Event.objects.wanted_by(subscription).filter(at__gte=since)


def replayable(deliveries):
    """Those of the selection that may be sent again: over, and about a dossier."""
    return deliveries.exclude(state__in=Delivery.UNFINISHED).filter(event__kind=Event.Kind.MOVE)


@transaction.atomic
def replay(deliveries, *, by: tuple[str, str], at: datetime) -> int:
    """Send again, under the same id, what is no longer wanted excepted. Returns how many; raises NotNow when none."""
    wanted: dict[int, list[Event]] = {}
    found = replayable(deliveries).select_related("event", "subscription__system").order_by("event_id")
    subscriptions = {one.subscription_id: one.subscription for one in found}
    for delivery in found:
        wanted.setdefault(delivery.subscription_id, []).append(delivery.event)
    total = 0
    for pk, events in sorted(wanted.items()):
        numbers = {event.pk for event in events}
        total += _queue_again(subscriptions[pk], Event.objects.filter(pk__in=numbers), by=by, at=at)
    if not total:
        raise NotNow("Rien n’est à rejouer : ces événements attendent déjà, ou ne sont plus demandés.")
    return total


@transaction.atomic
def replay_since(subscription: Subscription, since: datetime, *, by: tuple[str, str], at: datetime) -> int:
    """Every event since then that the subscription asks for as it stands. Returns how many; raises NotNow."""
    events = Event.objects.filter(at__gte=since)
    total = _queue_again(subscription, events, by=by, at=at, since=since.isoformat())
    if not total:
        raise NotNow("Rien n’est à rejouer depuis cette date : aucun événement demandé, ou tous attendent déjà.")
    return total


def _queue_again(subscription: Subscription, events, *, by: tuple[str, str], at: datetime, **data) -> int:
    locked = _locked(subscription).select_related("system").get()
    if not Subscription.objects.open().filter(pk=locked.pk).exists():
        raise NotNow(ENDED if locked.state == Subscription.State.ENDED else "Ce système n’est plus actif.")
    waiting = Delivery.objects.waiting().filter(subscription=locked).values("event")
    wanted = events.wanted_by(locked).exclude(pk__in=waiting)
    numbers = list(wanted.order_by("pk").values_list("pk", flat=True))
    again = {"subscription": locked, "is_replay": True, "created_at": at, "next_attempt": at}
    rows = (Delivery(event_id=number, **again) for number in numbers)
    Delivery.objects.bulk_create(rows, batch_size=BATCH, ignore_conflicts=True)
    if numbers:
        told = {"count": len(numbers), "first": numbers[0], "last": numbers[-1]}
        record(locked.subject, "replay", actor=by, data=told | data)
    return len(numbers)


def cancel_waiting(subscription: Subscription, *, at: datetime) -> None:
    """Of a subscription that ends, in the transaction that ends it."""
    _end(subscription.deliveries.waiting(), State.CANCELLED, at=at, error="L’abonnement est terminé.")


# --- upkeep -------------------------------------------------------------------------------------------------------
def forget(at: datetime) -> int:
    """Deliveries that ended too long ago go, then events that nothing refers to any more, then former secrets."""
    limit = at - timedelta(days=settings.WEBHOOK_KEPT_DAYS)
    gone, _ = Delivery.objects.filter(ended_at__lt=limit).delete()
    Event.objects.filter(at__lt=limit, deliveries=None).delete()
    Subscription.objects.filter(former_until__lte=at).update(former_secret=None, former_until=None)
    return gone
