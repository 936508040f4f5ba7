"""« X examine ce dossier »: fifteen minutes in which nobody else decides, unless they take the claim over."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from applications import actions
from applications.actions import NotNow
from applications.models import Application
from applications.states import State
from ecare.journal.models import Entry
from reviews import claims
from reviews.claims import LIFETIME, Held
from reviews.models import Claim
from tests.applications.life_cycle import dossier
from tests.factories import ApplicationFactory, RegionFactory, UserFactory
from tests.racing import at_once

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 27, 13, 5, tzinfo=UTC)  # 14 h 05 in Paris


@pytest.fixture
def application():
    return ApplicationFactory(state=State.SUBMITTED)


@pytest.fixture
def ars(application):
    return UserFactory(ars=True, last_name="Premier", regions=[application.establishment.region])


@pytest.fixture
def colleague(application):
    return UserFactory(ars=True, last_name="Second", regions=[application.establishment.region])


def verbs(application):
    return list(Entry.objects.filter(subject=application.subject).values_list("verb", flat=True))


def test_a_dossier_is_taken_in_hand_for_fifteen_minutes(application, ars):
    held = claims.claim(application, by=ars, at=NOW)
    assert (held.agent, held.since, held.until) == (ars, NOW, NOW + timedelta(minutes=15))
    assert verbs(application) == ["claim"]


def test_whoever_holds_it_holds_it_as_long_again(application, ars):
    claims.claim(application, by=ars, at=NOW)
    later = NOW + timedelta(minutes=10)
    assert claims.claim(application, by=ars, at=later).until == later + LIFETIME
    assert Claim.objects.get().since == NOW
    assert verbs(application) == ["claim"]  # to go on is no event


def test_a_colleague_is_told_who_has_it_until_when(application, ars, colleague):
    claims.claim(application, by=ars, at=NOW)
    with pytest.raises(Held, match=f"{ars} examine ce dossier, jusqu’à 14\u00a0h\u00a020"):
        claims.claim(application, by=colleague, at=NOW + timedelta(minutes=14, seconds=59))
    assert Claim.objects.get().agent == ars


def test_it_is_free_again_to_the_second(application, ars, colleague):
    claims.claim(application, by=ars, at=NOW)
    claims.claim(application, by=colleague, at=NOW + LIFETIME)
    assert Claim.objects.get().agent == colleague


def test_it_may_be_taken_over_and_history_says_from_whom(application, ars, colleague):
    claims.claim(application, by=ars, at=NOW)
    claims.claim(application, by=colleague, at=NOW, is_taken_over=True)
    assert Claim.objects.get().agent == colleague
    assert Entry.objects.filter(verb="claim").last().data == {"from": ars.actor[0], "name": str(ars)}


def test_it_is_put_down_by_its_holder_alone(application, ars, colleague):
    claims.claim(application, by=ars, at=NOW)
    assert not claims.release(application, by=colleague)
    assert claims.release(application, by=ars)
    assert not Claim.objects.exists()


@pytest.mark.parametrize("trait", ["ans", "administrator"])
def test_whoever_has_nothing_to_decide_takes_nothing_in_hand(trait, application):
    agent = UserFactory(**{trait: True})
    with pytest.raises(NotNow if trait == "ans" else PermissionDenied):
        claims.claim(application, by=agent, at=NOW)
    assert not Claim.objects.exists()


# --- deciding -----------------------------------------------------------------------------------------------------
def test_a_colleague_does_not_decide_while_it_is_held(application, ars, colleague):
    claims.claim(application, by=ars, at=NOW)
    with pytest.raises(Held):
        claims.decide(actions.accept, application, by=colleague, now=NOW, version=1)
    assert Application.objects.get().state == State.SUBMITTED
    assert verbs(application) == ["claim"]


@pytest.mark.parametrize("is_held", [True, False])
def test_its_holder_decides_and_so_does_anybody_when_it_is_free(is_held, application, ars):
    if is_held:
        claims.claim(application, by=ars, at=NOW)
    claims.decide(actions.accept, application, by=ars, now=NOW, version=1)
    assert Application.objects.get().state == State.ACCEPTED
    assert not Claim.objects.exists()


def test_a_claim_that_ended_holds_nobody_back(application, ars, colleague):
    claims.claim(application, by=ars, at=NOW)
    claims.decide(actions.accept, application, by=colleague, now=NOW + LIFETIME, version=1)
    assert Application.objects.get().state == State.ACCEPTED


@pytest.mark.django_db(transaction=True)
def test_of_two_agents_who_take_it_at_once_one_has_it_and_the_other_is_told():
    application = ApplicationFactory(state=State.SUBMITTED)
    agents = [UserFactory(ars=True, regions=[application.establishment.region]) for _ in range(2)]

    def take(agent):
        claims.claim(application, by=agent, at=NOW)
        return "mine"

    met = at_once(*[lambda agent=agent: take(agent) for agent in agents], refusals=(Held,))
    told = ["held" if isinstance(one, Held) else one for one in met]
    assert sorted(told) == ["held", "mine"]
    assert Claim.objects.count() == 1


# --- the pages ----------------------------------------------------------------------------------------------------
def page(browser, application):
    return browser.get(reverse("reviews:dossier", args=[application.reference])).content.decode()


@time_machine.travel(NOW, tick=False)
def test_the_page_offers_to_take_it_says_who_has_it_and_offers_to_take_over(application, ars, colleague, signed_in):
    mine, theirs = signed_in(ars), signed_in(colleague)
    take = reverse("reviews:claim", args=[application.reference])
    assert "Examiner ce dossier" in page(mine, application)
    assert mine.post(take).url == reverse("reviews:dossier", args=[application.reference])
    assert "Vous examinez ce dossier" in page(mine, application)
    seen = page(theirs, application)
    assert f"{ars} examine ce dossier" in seen
    assert "Reprenez l’examen pour décider." in seen
    assert reverse("reviews:accept", args=[application.reference]) not in seen
    theirs.post(take)
    assert Claim.objects.get().agent == ars
    theirs.post(take, {"reprendre": "1"})
    assert f"{colleague} examine ce dossier" in page(mine, application)


@time_machine.travel(NOW, tick=False)
def test_a_decision_meanwhile_is_refused_and_the_text_comes_back(application, ars, colleague, signed_in):
    claims.claim(application, by=ars, at=NOW)
    typed = {"version": "1", "message": "Les comptes ne sont pas certifiés."}
    answer = signed_in(colleague).post(reverse("reviews:reject", args=[application.reference]), typed)
    assert answer.status_code == 409
    assert f"{ars} examine ce dossier" in answer.content.decode()
    assert "Les comptes ne sont pas certifiés." in answer.content.decode()
    assert Application.objects.get().state == State.SUBMITTED


@time_machine.travel(NOW, tick=False)
def test_a_script_holds_it_and_is_told_when_it_was_taken_over(application, ars, colleague, signed_in):
    take, browser = reverse("reviews:claim", args=[application.reference]), signed_in(ars)
    first = browser.post(take, headers={"Accept": "application/json"})
    assert first.json() == {"until": "14\u00a0h\u00a020"}
    claims.claim(application, by=colleague, at=NOW, is_taken_over=True)
    second = browser.post(take, headers={"Accept": "application/json"})
    assert second.status_code == 409
    assert str(colleague) in second.json()["message"]


def test_the_queue_says_who_examines_what(application, ars, signed_in):
    claims.claim(application, by=ars, at=datetime.now(UTC))
    assert f"{ars} l’examine" in signed_in(ars).get(reverse("reviews:queue")).content.decode()


def test_an_agent_of_another_region_finds_nothing_to_take(application, signed_in):
    far = UserFactory(ars=True, regions=[RegionFactory(code="75")])
    assert signed_in(far).post(reverse("reviews:claim", args=[application.reference])).status_code == 404


@pytest.mark.parametrize("state", State)
def test_the_offer_stands_where_there_is_something_to_decide(state, signed_in):
    owner = UserFactory()
    application = dossier(state, owner=owner)
    ars = UserFactory(ars=True, regions=[owner.establishment.region])
    offers = "Examiner ce dossier" in page(signed_in(ars), application)
    assert offers == (state in (State.SUBMITTED, State.DECLARATION_SUBMITTED))
