"""What is told when a dossier moves: once, in the same transaction, to whoever asked for it, and nothing personal."""

import json

import pytest
from django.db import transaction
from django.utils import timezone

from applications import actions as applications
from applications.models import Application
from applications.states import State
from ecare.journal.models import Entry
from tests.applications.life_cycle import MOVES, people, perform
from tests.factories import ApplicationFactory, DomainFactory, FormFactory, RegionFactory, UserFactory
from tests.webhooks.conftest import again, send_due, states, subscribe, system, verifies
from webhooks import payloads
from webhooks.models import Delivery, Event, Subscription

pytestmark = pytest.mark.django_db
ADDRESS = "https://exemple.fr/ecare"
KNOWN = {"id", "type", "number", "timestamp", "replay", "data"}
OF_A_DOSSIER = {"reference", "version", "domain", "region", "state_before", "state_after", "url"}


def one_move(verb, state, who):
    """A dossier in that state, moved by that person of the table of the life cycle."""
    form = FormFactory()
    FormFactory(domain=form.domain, step="declaration")
    dossier = ApplicationFactory(domain=form.domain, candidature_form=form, state=state)
    perform(verb, dossier, by=people(dossier.establishment, dossier.referent)[who])
    return again(dossier)


CASES = [(verb, state, row[0]) for verb, rows in MOVES.items() for state, row in rows.items()]


@pytest.mark.parametrize(("verb", "state", "who"), [case for case in CASES if case[2] != "system"])
def test_each_verb_in_each_state_makes_one_event_of_each_move(verb, state, who, monkeypatch):
    monkeypatch.setattr("tests.applications.life_cycle.UserFactory", UserFactory)
    to_everything = subscribe(ADDRESS)
    dossier = one_move(verb, state, who)
    moves = Entry.objects.filter(subject=dossier.subject).exclude(to_state="").order_by("sequence")
    told = [(move.from_state if move.from_state != "draft" else "", move.to_state) for move in moves]
    is_known = dossier.candidature_submitted_at is not None
    events = Event.objects.order_by("number")
    assert [(event.state_before, event.state_after) for event in events] == (told if is_known else [])
    assert states(to_everything) == ["waiting"] * len(events)
    for event in events:
        assert (event.reference, event.domain) == (dossier.reference, dossier.domain.slug)
        assert event.region == dossier.establishment.region_id
    if events:
        last = events.last()
        assert (last.version, last.at, last.state_after) == (dossier.version, dossier.moved_at, dossier.state)


def test_a_declaration_that_opens_by_itself_is_told():
    form = FormFactory()
    FormFactory(domain=form.domain, step="declaration")
    dossier = ApplicationFactory(domain=form.domain, candidature_form=form, state=State.CONVENTION_SIGNED)
    assert applications.open_declaration(dossier, at=timezone.now())
    assert Event.objects.get().state_after == "declaration_open"


def test_nothing_is_told_of_a_draft_nor_of_its_withdrawal():
    to_everything = subscribe(ADDRESS)
    domain = FormFactory().domain
    person = UserFactory()
    dossier = applications.start(domain, by=person, at=timezone.now())
    applications.withdraw(dossier, by=person, version=dossier.version)
    assert not Event.objects.exists() and states(to_everything) == []


def test_the_first_sending_comes_from_nowhere_and_a_withdrawal_after_it_is_told():
    subscribe(ADDRESS)
    dossier = ApplicationFactory()
    applications.submit(dossier, by=dossier.referent, version=1, at=timezone.now())
    applications.withdraw(dossier, by=dossier.referent, version=2)
    bodies = [json.loads(payloads.body_of(one)) for one in Delivery.objects.order_by("pk")]
    assert [(body["data"]["state_before"], body["data"]["state_after"]) for body in bodies] == [
        (None, "submitted"),
        ("submitted", "withdrawn"),
    ]
    assert [body["data"]["version"] for body in bodies] == [2, 3]
    assert bodies[0]["number"] < bodies[1]["number"]


def test_a_move_that_is_rolled_back_tells_nothing():
    to_everything = subscribe(ADDRESS)
    dossier = ApplicationFactory(state=State.DRAFT)
    with pytest.raises(RuntimeError), transaction.atomic():
        applications.submit(dossier, by=dossier.referent, version=1, at=timezone.now())
        assert states(to_everything) == ["waiting"]
        raise RuntimeError
    assert not Event.objects.exists() and states(to_everything) == []


def test_a_fault_in_telling_takes_the_move_back(monkeypatch):
    """Never one without the other."""

    def fail(*arguments):
        raise RuntimeError

    dossier = ApplicationFactory(state=State.DRAFT)
    monkeypatch.setattr("webhooks.deliveries.note_move", fail)
    with pytest.raises(RuntimeError):
        applications.submit(dossier, by=dossier.referent, version=1, at=timezone.now())
    assert again(dossier).state == "draft" and not Entry.objects.filter(verb="submit").exists()


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
    dossier = ApplicationFactory(domain=domain, candidature_form=form)
    assert dossier.establishment.region_id == "76"
    applications.submit(dossier, by=dossier.referent, version=1, at=timezone.now())
    assert {name: states(one) for name, one in told.items()} == dict.fromkeys(told, ["waiting"])
    assert {name: states(one) for name, one in not_told.items()} == dict.fromkeys(not_told, [])


def test_what_a_move_costs_does_not_grow_with_the_subscriptions(django_assert_max_num_queries):
    counts = []
    for rank in range(2):
        for more in range(1 + 4 * rank):
            subscribe(f"{ADDRESS}/{rank}-{more}", domains=[DomainFactory()] if more % 2 else [])
        dossier = ApplicationFactory()
        with django_assert_max_num_queries(200) as captured:
            applications.submit(dossier, by=dossier.referent, version=1, at=timezone.now())
        counts.append(len(captured))
        assert sum("webhooks_" in query["sql"] for query in captured) == 3
    assert counts[0] == counts[1]


def test_nothing_personal_leaves_nor_is_logged(receiver, caplog):
    """A canary in everything that a person wrote or is: none of it is in what is sent, in any state."""
    caplog.set_level("DEBUG")
    canary = "Canari-Jaune"
    owner = UserFactory(first_name=canary, last_name=canary, email="canari-jaune@exemple.fr", phone="+33600000007")
    establishment = owner.establishment
    establishment.name = canary
    establishment.save()
    form = FormFactory(questions=[{"key": "montant", "kind": "amount", "label": "Montant demandé", "is_required": False}])
    dossier = ApplicationFactory(referent=owner, domain=form.domain, candidature_form=form)
    to_everything = subscribe(receiver.address)
    applications.save_answers(dossier, by=owner, values={"montant": 123_456_700}, at=timezone.now())
    applications.submit(dossier, by=owner, version=1, at=timezone.now())
    ars = UserFactory(ars=True, regions=[establishment.region], last_name=canary)
    applications.request_changes(dossier, by=ars, version=2, message=f"{canary} doit signer.")
    assert send_due() == 2
    for (headers, body), told in zip(receiver.came, receiver.bodies, strict=True):
        assert verifies(to_everything.plain, headers, body)
        assert set(told) == KNOWN and set(told["data"]) == OF_A_DOSSIER
        everything = f"{headers}{body.decode()}{caplog.text}".lower()
        for word in ("canari", "600000007", "1234567", "123 456", to_everything.plain.lower()):
            assert word not in everything
    assert told["data"]["url"] == f"http://127.0.0.1:8000/api/v1/dossiers/{dossier.reference}"
    assert Application.objects.get().version == 3 == told["data"]["version"]
    assert headers["user-agent"] == "eCaRE-webhooks/1" and headers["content-type"] == "application/json"
