"""Two workers, a slow receiver and a fast one, a move and a worker: at once."""

import time

import pytest
from django.utils import timezone

from applications import actions as applications
from tests.factories import ApplicationFactory
from tests.racing import at_once
from tests.webhooks.conftest import BY, again, send_due, states, subscribe
from webhooks import deliveries, posts
from webhooks.models import Delivery, Event

pytestmark = pytest.mark.django_db(transaction=True)


def move(made=None):
    made = made or ApplicationFactory()
    applications.submit(made, by=made.referent, version=1, at=timezone.now())


def test_four_workers_send_each_event_once(receiver, settings):
    settings.WEBHOOK_LANES = 4
    subscription = subscribe(receiver.address)
    for _ in range(3):
        move()
    done = at_once(*[send_due] * 4)
    while send_due():
        pass
    assert all(isinstance(one, int) for one in done)
    assert states(subscription) == ["delivered"] * 3
    assert len(receiver.ids()) == len(set(receiver.ids())) == 3


def test_two_workers_take_two_deliveries_of_one_address_one_after_the_other():
    subscribe("https://exemple.fr/ecare")
    for _ in range(2):
        move()
    taken = [one for one in at_once(*[lambda: deliveries.claim(timezone.now())] * 4) if one is not None]
    assert len(taken) == 1 and Delivery.objects.filter(state="sending").count() == 1


def test_a_slow_receiver_holds_back_no_other(start_receiver, settings, monkeypatch):
    monkeypatch.setattr(posts, "READ_SECONDS", 1.5)
    settings.WEBHOOK_LANES = 2
    slow, fast = start_receiver(wait=30), start_receiver()
    held, free = subscribe(slow.address), subscribe(fast.address)
    for _ in range(4):
        move()
    seen = []

    def work():
        started = time.monotonic()
        send_due()
        seen.append(time.monotonic() - started)

    at_once(work, work)
    assert states(free) == ["delivered"] * 4
    assert states(held) == ["waiting"] * 4 and len(slow.came) == 1
    assert again(held).failures == 1
    assert min(seen) < 1.5, "one worker was never held"


def test_moves_and_workers_at_once_lose_nothing_and_double_nothing(receiver):
    subscription = subscribe(receiver.address)
    made = [ApplicationFactory() for _ in range(4)]
    at_once(*[lambda one=one: move(one) for one in made], send_due, send_due)
    while send_due():
        pass
    assert Event.objects.count() == 4 and states(subscription) == ["delivered"] * 4
    assert len(set(receiver.ids())) == 4


def test_two_replays_at_once_send_once(receiver):
    subscription = subscribe(receiver.address)
    move()
    send_due()
    since = timezone.now() - timezone.timedelta(days=1)
    again_at_once = {"by": BY, "at": timezone.now()}
    at_once(*[lambda: deliveries.replay_since(subscription, since, **again_at_once)] * 3)
    assert states(subscription) == ["delivered", "waiting"]
    send_due()
    assert len(receiver.came) == 2 and len(set(receiver.ids())) == 1
