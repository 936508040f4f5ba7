"""What is told when a dossier moves: once, in the same transaction, to whoever asked for it, and nothing personal."""

import json

import pytest
from django.db import transaction
from django.utils import timezone

from applications import actions as applications
from applications.models import Application
from applications.states import State
from ecare.journal.models import Entry
from tests.applications.life_cycle import MOVES, dossier, people, perform
from tests.factories import (
    ApplicationFactory,
    DomainFactory,
    EstablishmentFactory,
    FormFactory,
    RegionFactory,
    UserFactory,
)
from tests.webhooks.conftest import again, send_due, states, subscribe, system, verifies
from webhooks import payloads
from webhooks.models import Delivery, Event, Subscription

pytestmark = pytest.mark.django_db
ADDRESS = "https://exemple.fr/ecare"
KNOWN = {"id", "type", "number", "timestamp", "replay", "data"}
OF_A_DOSSIER = {"reference", "version", "domain", "region", "state_before", "state_after", "url"}


@pytest.mark.parametrize("verb", MOVES)
def test_each_verb_in_each_state_makes_one_event(verb):
    to_everything = subscribe(ADDRESS)
    establishment = EstablishmentFactory()
    cast = people(establishment)
    for state, (who, target, _letters) in MOVES[verb].items():
        before = dossier(state, owner=cast["owner"])
        perform(verb, before, by=cast[who])
        after = again(before)
        events = list(Event.objects.filter(reference=after.reference))
        if after.candidature_submitted_at is None:
            assert (verb, state, events) == ("withdraw", "draft", [])
            continue
        [event] = events
        assert (event.state_before, event.state_after) == ("" if state == "draft" else state, target)
        assert (event.domain, event.region) == (after.domain.slug, establishment.region_id)
        assert (event.version, event.at) == (after.version, after.moved_at)
        assert event.deliveries.get().subscription == to_everything


def test_a_declaration_that_opens_by_itself_is_told():
    form = FormFactory()
    FormFactory(domain=form.domain, step="declaration")
    made = ApplicationFactory(domain=form.domain, candidature_form=form, state=State.CONVENTION_SIGNED)
    assert applications.open_declaration(made, at=timezone.now())
    assert Event.objects.get().state_after == "declaration_open"


def test_nothing_is_told_of_a_draft_nor_of_its_withdrawal():
    to_everything = subscribe(ADDRESS)
    domain = FormFactory().domain
    person = UserFactory()
    made = applications.start(domain, by=person, at=timezone.now())
    applications.withdraw(made, by=person, version=made.version)
    assert not Event.objects.exists() and states(to_everything) == []


def test_the_first_sending_comes_from_nowhere_and_a_withdrawal_after_it_is_told():
    subscribe(ADDRESS)
    made = ApplicationFactory()
    applications.submit(made, by=made.referent, version=1, at=timezone.now())
    applications.withdraw(made, by=made.referent, version=2)
    bodies = [json.loads(payloads.body_of(one)) for one in Delivery.objects.order_by("pk")]
    assert [(body["data"]["state_before"], body["data"]["state_after"]) for body in bodies] == [
        (None, "submitted"),
        ("submitted", "withdrawn"),
    ]
    assert [body["data"]["version"] for body in bodies] == [2, 3]
    assert bodies[0]["number"] < bodies[1]["number"]


def test_a_move_that_is_rolled_back_tells_nothing():
    to_everything = subscribe(ADDRESS)
    made = ApplicationFactory(state=State.DRAFT)
    with transaction.atomic():
        applications.submit(made, by=made.referent, version=1, at=timezone.now())
        assert states(to_everything) == ["waiting"]
        transaction.set_rollback(True)
    assert not Event.objects.exists() and states(to_everything) == []


def test_a_fault_in_telling_takes_the_move_back(monkeypatch):
    """Never one without the other."""

    def fail(*arguments):
        raise RuntimeError

    made = ApplicationFactory(state=State.DRAFT)
    monkeypatch.setattr("webhooks.deliveries.note_move", fail)
    with pytest.raises(RuntimeError):
        applications.submit(made, by=made.referent, version=1, at=timezone.now())
    assert again(made).state == "draft" and not Entry.objects.filter(verb="submit").exists()


def test_who_is_told_what():
    domain, other = DomainFactory(), DomainFactory()
    region, elsewhere = RegionFactory(code="76"), RegionFactory(code="75")
    told = {
        "everything": subscribe(f"{ADDRESS}/1"),
        "this domain": subscribe(f"{ADDRESS}/2", domains=[domain]),
        "this region": subscribe(f"{ADDRESS}/3", regions=[region, elsewhere]),
        "this state": subscribe(f"{ADDRESS}/4", states=["submitted", "paid"]),
        "all three": subscribe(f"{ADDRESS}/5", domains=[domain, other], regions=[region], states=["submitted"]),
        "suspended": subscribe(f"{ADDRESS}/6", state=Subscription.State.SUSPENDED),
    }
    not_told = {
        "another domain": subscribe(f"{ADDRESS}/11", domains=[other]),
        "another region": subscribe(f"{ADDRESS}/12", regions=[elsewhere]),
        "another state": subscribe(f"{ADDRESS}/13", states=["paid"]),
        "domain but not region": subscribe(f"{ADDRESS}/14", domains=[domain], regions=[elsewhere]),
        "nothing chosen": subscribe(f"{ADDRESS}/15", states=[], all_domains=False, all_regions=False),
        "no domain": subscribe(f"{ADDRESS}/17", all_domains=False),
        "no region": subscribe(f"{ADDRESS}/18", all_regions=False),
        "inactive": subscribe(f"{ADDRESS}/16", of=system("Arrêté", is_active=False)),
    }
    form = FormFactory(domain=domain)
    made = ApplicationFactory(domain=domain, candidature_form=form)
    assert made.establishment.region_id == "76"
    applications.submit(made, by=made.referent, version=1, at=timezone.now())
    assert {name for name, one in told.items() if states(one) != ["waiting"]} == set()
    assert {name for name, one in not_told.items() if states(one)} == set()


def test_what_a_move_costs_does_not_grow_with_the_subscriptions(django_assert_max_num_queries):
    counts = []
    for rank in range(2):
        for more in range(1 + 4 * rank):
            subscribe(f"{ADDRESS}/{rank}-{more}", domains=[DomainFactory()] if more % 2 else [])
        made = ApplicationFactory()
        with django_assert_max_num_queries(200) as captured:
            applications.submit(made, by=made.referent, version=1, at=timezone.now())
        counts.append(len(captured))
        assert sum("webhooks_" in query["sql"] for query in captured) == 3
    assert counts[0] == counts[1]


def test_nothing_personal_leaves_nor_is_logged(receiver, caplog):
    """A canary in everything that a person wrote or is: none of it is in what is sent, in any state."""
    canary = "Canari-Jaune"
    owner = UserFactory(first_name=canary, last_name=canary, email="canari-jaune@exemple.fr", phone="+33600000007")
    establishment = owner.establishment
    establishment.name = canary
    establishment.save()
    form = FormFactory(
        questions=[{"key": "montant", "kind": "amount", "label": "Montant demandé", "is_required": False}]
    )
    made = ApplicationFactory(referent=owner, domain=form.domain, candidature_form=form)
    to_everything = subscribe(receiver.address)
    ars = UserFactory(ars=True, regions=[establishment.region], last_name=canary)
    caplog.set_level("DEBUG")
    applications.save_answers(made, by=owner, values={"montant": 123_456_700}, at=timezone.now())
    applications.submit(made, by=owner, version=1, at=timezone.now())
    applications.request_changes(made, by=ars, version=2, message=f"{canary} doit signer.")
    assert send_due() == 2
    for (headers, body), told in zip(receiver.came, receiver.bodies, strict=True):
        assert verifies(to_everything.plain, headers, body)
        assert set(told) == KNOWN and set(told["data"]) == OF_A_DOSSIER
        everything = f"{headers}{body.decode()}{caplog.text}".lower()
        for word in ("canari", "600000007", "1234567", "123 456", to_everything.plain.lower()):
            assert word not in everything
    assert told["data"]["url"] == f"http://127.0.0.1:8000/api/v1/dossiers/{made.reference}"
    assert Application.objects.get().version == 3 == told["data"]["version"]
    assert headers["user-agent"] == "eCaRE-webhooks/1" and headers["content-type"] == "application/json"
