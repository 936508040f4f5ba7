"""A worker's round: sent once, tried again in time, given up, taken over from the dead; never one for all."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from applications import actions as applications
from ecare.journal.models import Entry
from ecare.letters.actions import deliver as deliver_letters
from ecare.letters.models import Letter
from tests.factories import ApplicationFactory, DomainFactory, UserFactory
from tests.webhooks.conftest import BY, again, send_due, states, subscribe, system, verifies, waiting
from webhooks import actions, couriers, deliveries, rules, tasks
from webhooks.models import Delivery, Event, Subscription
from webhooks.posts import Outcome

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def move(**more):
    made = ApplicationFactory(**more)
    applications.submit(made, by=made.referent, version=1, at=timezone.now())
    return made


@pytest.fixture
def clock():
    """Stands still until it is told to go on."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def test_what_is_received_is_sent_once_and_verifies(receiver):
    subscription = subscribe(receiver.address)
    move()
    assert tasks.deliver() == 1 and tasks.deliver() == 0
    [(headers, body)] = receiver.came
    assert verifies(subscription.plain, headers, body)
    assert not verifies("whsec_" + "A" * 43 + "=", headers, body)
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.status, delivery.attempts, delivery.error) == ("delivered", 204, 1, "")
    assert delivery.duration >= 0 and delivery.lease is None
    assert headers["webhook-id"] == delivery.event.public_key == receiver.bodies[0]["id"]
    assert again(subscription).delivered_at and "accept-language" not in headers and "cookie" not in headers


def test_it_is_tried_again_at_the_right_times_and_given_up_after_three_days(receiver, clock):
    receiver.status = 500
    other = subscribe(receiver.address, domains=[DomainFactory()])  # asks for something else
    subscription = subscribe(f"{receiver.address}/2")
    move()
    wanted = [30, 90, 270, 810, 2430, 7290, 21870, *[43200] * 6]
    for attempt, pause in enumerate(wanted, start=1):
        assert send_due() == 1
        delivery = waiting()
        assert (delivery.attempts, delivery.status, delivery.state) == (attempt, 500, "waiting")
        assert "500" in delivery.error
        planned = (delivery.next_attempt - timezone.now()).total_seconds()
        assert 0.9 * pause <= planned <= 1.1 * pause, attempt
        clock.shift(planned - 1)
        assert send_due() == 0
        clock.shift(1)
    assert send_due() == 1
    assert states(subscription) == ["failed"] and states(other) == []
    assert Delivery.objects.get().attempts == rules.MOST_ATTEMPTS == len(receiver.came)
    assert timedelta(days=3) < timezone.now() - NOON < timedelta(days=4)
    clock.shift(90_000)
    assert send_due() == 0
    assert len(set(receiver.ids())) == 1, "always the same id"
    assert len({body for _headers, body in receiver.came}) == 1, "and the same bytes"
    assert len({headers["webhook-timestamp"] for headers, _body in receiver.came}) == rules.MOST_ATTEMPTS


def test_pauses_differ():
    assert len({rules.pause_after(3) for _ in range(20)}) > 10


def test_a_worker_that_died_between_taking_and_telling_sends_again_under_the_same_id(receiver, clock, monkeypatch):
    class Killed(BaseException):
        pass

    def die(*arguments, **more):
        raise Killed

    subscribe(receiver.address)
    move()
    with monkeypatch.context() as patch:
        patch.setattr("webhooks.deliveries.mark", die)
        with pytest.raises(Killed):
            send_due()
    held = waiting()
    assert held.state == "sending" and len(receiver.came) == 1
    clock.shift(119)
    assert send_due() == 0
    clock.shift(2)
    assert send_due() == 1
    assert (again(held).state, again(held).attempts) == ("delivered", 2)
    assert receiver.ids() == [held.event.public_key] * 2


def test_a_worker_that_comes_back_too_late_says_nothing(receiver, clock):
    subscription = subscribe(receiver.address)
    move()
    late = deliveries.claim(timezone.now())
    clock.shift(121)
    assert send_due() == 1
    deliveries.mark(late, is_received=False, at=timezone.now(), status=500, duration=1, error="Trop tard.", answer="")
    assert states(subscription) == ["delivered"] and again(subscription).failures == 0


def test_what_kills_every_worker_is_given_up(clock):
    subscription = subscribe("https://exemple.fr/ecare")
    move()
    for _ in range(rules.MOST_ATTEMPTS):
        assert deliveries.claim(timezone.now()).state == "sending"
        clock.shift(121)
    assert deliveries.claim(timezone.now()) is None
    assert states(subscription) == ["failed"] and Delivery.objects.get().error == deliveries.LOST


def test_a_fault_of_ours_counts_as_an_attempt_and_is_told(monkeypatch, caplog):
    def fail(*arguments):
        raise ValueError("whsec_tout")

    subscription = subscribe("https://exemple.fr/ecare")
    move()
    monkeypatch.setattr("webhooks.couriers.post", fail)
    assert send_due() == 1
    assert waiting().error == couriers.FAULT and states(subscription) == ["waiting"]
    assert "ValueError" in caplog.text and "whsec_" not in caplog.text


def test_one_address_is_written_to_at_a_time_and_no_more_addresses_than_lanes(settings):
    """Whoever is slow keeps one line; the others take turns, and the letters have the other workers."""
    slow, other, third = (subscribe(f"https://exemple.fr/{rank}") for rank in range(3))
    move()
    move()
    now = timezone.now()
    settings.WEBHOOK_LANES = 2
    taken = [deliveries.claim(now), deliveries.claim(now)]
    assert [one.subscription for one in taken] == [slow, other]
    assert deliveries.claim(now) is None
    settings.WEBHOOK_LANES = 4
    assert deliveries.claim(now).subscription == third
    assert deliveries.claim(now) is None, "each address is busy"
    deliveries.mark(taken[1], is_received=True, at=now, status=200, duration=1, error="", answer="")
    assert deliveries.claim(now).subscription == other
    assert Letter.objects.filter(state="queued").exists() and deliver_letters()


def test_events_leave_in_their_order_and_the_one_served_last_waits(receiver, start_receiver):
    second = start_receiver()
    subscribe(receiver.address)
    subscribe(second.address)
    for _ in range(3):
        move()
    assert send_due() == 6
    for one in (receiver, second):
        numbers = [body["number"] for body in one.bodies]
        assert numbers == sorted(numbers) and len(numbers) == 3


def test_an_address_that_fails_rests_and_the_others_do_not(receiver, start_receiver, clock):
    broken = start_receiver(status=503)
    failing, sound = subscribe(broken.address), subscribe(receiver.address)
    for _ in range(3):
        move()
    send_due()
    assert states(sound) == ["delivered"] * 3
    assert len(broken.came) == 1 and states(failing) == ["waiting"] * 3
    assert again(failing).resting_until == NOON + timedelta(seconds=10)
    clock.shift(10)
    send_due()
    assert len(broken.came) == 2 and again(failing).resting_until == timezone.now() + timedelta(seconds=20)
    assert rules.rest_after(500) == timedelta(minutes=5)
    broken.status = 200
    clock.shift(40)
    send_due()
    assert states(failing) == ["delivered"] * 3 and again(failing).failing_since is None


def test_suspended_inactive_or_no_longer_wanted_is_sent_nothing(receiver):
    suspended, ended = subscribe(receiver.address), subscribe(f"{receiver.address}/ended")
    inactive = subscribe(f"{receiver.address}/inactive", of=system("Autre"))
    unwanted = subscribe(f"{receiver.address}/unwanted")
    move()
    actions.suspend(suspended, by=BY)
    actions.end(ended, by=BY, at=timezone.now())
    inactive.system.is_active = False
    inactive.system.save()
    unwanted.all_domains = False
    unwanted.save()
    assert send_due() == 1 and receiver.came == []
    assert states(suspended) == states(inactive) == ["waiting"]
    assert states(unwanted) == states(ended) == ["cancelled"]
    assert unwanted.deliveries.get().error == deliveries.UNWANTED
    move()
    assert states(suspended) == ["waiting", "waiting"]
    assert states(inactive) == ["waiting"] and states(unwanted) == states(ended) == ["cancelled"]
    assert actions.resume(suspended, by=BY, at=timezone.now()) == 2
    send_due()
    assert states(suspended) == ["delivered", "delivered"]


def test_days_of_failures_suspend_tell_and_lose_nothing(receiver, clock):
    receiver.status = 500
    administrator, gone = UserFactory(administrator=True), UserFactory(administrator=True, is_active=False)
    failing = subscribe(receiver.address)
    started = timezone.now()
    move()
    while timezone.now() < started + timedelta(days=3):
        assert tasks.suspend() == 0
        send_due()
        clock.shift(3600)
    move()
    assert tasks.suspend() == 1 and tasks.suspend() == 0
    assert again(failing).state == "suspended" and again(failing).remark == actions.GIVEN_UP
    assert states(failing) == ["waiting", "waiting"], "suspended before anything is given up"
    told = Letter.objects.filter(subject=failing.subject).order_by("name")
    assert [(one.name, one.recipient) for one in told] == [
        ("notifications_suspended", "responsable@sante.example"),
        ("subscription_suspended", administrator.email),
    ]
    assert gone.email not in {one.recipient for one in told}
    assert all(receiver.address in one.text and "3 jours" in one.text for one in told)
    assert Entry.objects.get(subject=failing.subject, verb="suspend_subscription").actor == "system"
    before = len(receiver.came)
    assert send_due() == 0
    receiver.status = 200
    assert actions.resume(failing, by=BY, at=timezone.now()) == 2
    assert send_due() == 2 and len(receiver.came) == before + 2
    deliver_letters()
    assert set(told.values_list("state", flat=True)) == {"cancelled"}, "no longer true when they were to leave"


def test_a_success_now_and_then_suspends_nobody(receiver, clock):
    subscription = subscribe(receiver.address)
    for _day in range(5):
        receiver.status = 500
        move()
        send_due()
        clock.shift(3600)
        receiver.status = 200
        send_due()
        clock.shift(86_400)
        assert tasks.suspend() == 0
    assert states(subscription) == ["delivered"] * 5


def test_old_deliveries_and_events_are_forgotten_those_that_wait_are_not(receiver, clock, settings):
    settings.WEBHOOK_KEPT_DAYS = 90
    subscription = subscribe(receiver.address)
    suspended = subscribe(f"{receiver.address}/2", domains=[DomainFactory()])
    sent, kept = move(), move()
    Delivery.objects.filter(event__reference=kept.reference).update(subscription=suspended)
    actions.suspend(suspended, by=BY)
    actions.rotate_secret(subscription, shown=1, keep_former=True, by=BY, at=timezone.now())
    send_due()
    clock.shift(timedelta(days=89, hours=23).total_seconds())
    assert tasks.forget() == 0 and Event.objects.count() == 2
    assert again(subscription).former_secret is None, "its seven days are over"
    clock.shift(7200)
    assert tasks.forget() == 1
    assert list(Event.objects.values_list("reference", flat=True)) == [kept.reference]
    assert states(suspended) == ["waiting"] and sent.reference not in str(Event.objects.values())


def test_two_signatures_while_both_secrets_live(receiver, clock):
    subscription = subscribe(receiver.address)
    former = subscription.plain
    stored = again(subscription)
    assert former.encode() not in bytes(stored.secret) and former.startswith("whsec_")
    present = actions.rotate_secret(subscription, shown=1, keep_former=True, by=BY, at=timezone.now())
    assert present != former
    with time_machine.travel(timezone.now(), tick=True):
        move()
        send_due()
        headers, body = receiver.came[-1]
        assert len(headers["webhook-signature"].split(" ")) == 2
        assert verifies(present, headers, body) and verifies(former, headers, body)
    clock.shift(timedelta(days=7, seconds=1).total_seconds())
    move()
    send_due()
    headers, body = receiver.came[-1]
    assert verifies(present, headers, body) and not verifies(former, headers, body)
    leaked, safe = present, actions.rotate_secret(subscription, shown=2, keep_former=False, by=BY, at=timezone.now())
    move()
    send_due()
    headers, body = receiver.came[-1]
    assert verifies(safe, headers, body) and not verifies(leaked, headers, body)
    assert Subscription.objects.get().secret_number == 3


def test_an_outcome_is_received_only_between_200_and_299():
    assert [code for code in range(100, 600) if Outcome(code, 1).is_received] == list(range(200, 300))
    assert not Outcome(None, 1).is_received and not Outcome(200, 1, error="Coupée.").is_received
