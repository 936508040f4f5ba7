"""Each decision page: what it says before the click, what it does, and whom it refuses."""

from itertools import product

import pytest
from django.urls import reverse
from django.utils import timezone

from applications.models import Application, ChangeRequest
from ecare.journal.models import Entry
from ecare.letters.models import Letter
from reviews.rules import recipients
from tests.applications.life_cycle import MOVES, STATES, dossier, expected, people, perform, traces
from tests.factories import DomainFactory, EstablishmentFactory
from tests.funding.deciding import make_ready

pytestmark = pytest.mark.django_db

REASON = "Le RIB transmis ne correspond pas à l’IBAN."
VERBS = {
    "accept": "accepter",
    "request_changes": "demander-une-modification",
    "cancel_changes": "annuler-la-demande",
    "reject": "rejeter",
    "reopen": "remettre-a-l-examen",
    "send_back": "renvoyer-a-l-ars",
    "sign_convention": "signer-la-convention",
    "record_payment": "enregistrer-le-versement",
    "abandon": "abandonner",
}
WITH_REASON = ["request_changes", "cancel_changes", "reject", "reopen", "send_back", "abandon"]
MOVING = [(verb, state, MOVES[verb][state][0]) for verb in VERBS for state in MOVES[verb]]


@pytest.fixture
def cast():
    return people(EstablishmentFactory())


def address(verb, application):
    return reverse(f"reviews:{verb}", args=[application.reference])


def typed(verb, application, pdf, **fields):
    """What the page of that verb posts."""
    data = {"version": application.version}
    if verb in WITH_REASON:
        data["message"] = REASON
    if verb == "sign_convention":
        today = timezone.localdate().isoformat()
        data |= {"establishment_signed_on": today, "signed_on": today, "upload": pdf()}
    if verb == "record_payment":
        data |= {"paid_on": timezone.localdate().isoformat(), "reference": "VIR-2026-0042"}
    return data | fields


def test_each_decision_has_an_address_in_french():
    for verb, path in VERBS.items():
        assert reverse(f"reviews:{verb}", args=["VEHCXTRMWL"]) == f"/verification/VEHCXTRMWL/{path}/"


# role → what a page of the back-office answers when the verb is not for this person
HIDDEN_FROM = {"anonymous": 302, "colleague": 404, "stranger": 404, "ars_elsewhere": 404, "administrator": 404}
SIGNED_IN = ["owner", "colleague", "stranger", "ars", "ars_elsewhere", "ans", "administrator"]


@pytest.mark.parametrize("state", STATES)
def test_whoever_may_not_decide_is_refused_over_http_and_nothing_is_written(state, cast, client, signed_in, pdf):
    application = dossier(state, owner=cast["owner"])
    clients = {"anonymous": client} | {role: signed_in(cast[role]) for role in SIGNED_IN}
    before = traces(application)
    for verb, role in product(VERBS, clients):
        outcome = expected(verb, state, role)
        if outcome in STATES:
            continue
        status = HIDDEN_FROM.get(role) or {"denied": 403, "not now": 409}[outcome]
        answer = clients[role].post(address(verb, application), typed(verb, application, pdf))
        assert answer.status_code == status, (verb, role)
        assert clients[role].get(address(verb, application)).status_code == status, (verb, role)
        if role == "anonymous":
            assert answer.url.startswith(reverse("account_login"))
        assert traces(application) == before, f"{verb} by {role} left a trace"


@pytest.mark.parametrize(("verb", "state", "role"), MOVING)
def test_whoever_may_decide_moves_the_dossier_and_comes_back_to_it(verb, state, role, cast, signed_in, pdf):
    application = make_ready(dossier(state, owner=cast["owner"]), by=cast["ans"])
    answer = signed_in(cast[role]).post(address(verb, application), typed(verb, application, pdf), follow=True)
    assert answer.redirect_chain == [(reverse("reviews:dossier", args=[application.reference]), 302)]
    assert Application.objects.get(pk=application.pk).state == MOVES[verb][state][1]
    assert [message.level_tag for message in answer.context["messages"]] == ["success"]
    assert f"Dossier n°\u00a0{application.reference}" in answer.content.decode()


@pytest.mark.parametrize(("verb", "state", "role"), MOVING)
def test_the_page_names_beforehand_exactly_those_who_get_a_letter(verb, state, role, cast, signed_in, pdf):
    application = make_ready(dossier(state, owner=cast["owner"]), by=cast["ans"])
    page = signed_in(cast[role]).get(address(verb, application)).content.decode()
    announced = recipients(application, verb, at=timezone.now())
    for person in announced:
        assert person.email in page
    signed_in(cast[role]).post(address(verb, application), typed(verb, application, pdf))
    assert sorted(Letter.objects.values_list("recipient", flat=True)) == sorted(person.email for person in announced)


def test_a_convention_that_opens_the_declaration_announces_the_letter_to_the_referent(cast, signed_in):
    application = dossier("accepted", owner=cast["owner"], domain=DomainFactory())
    page = signed_in(cast["ans"]).get(address("sign_convention", application)).content.decode()
    assert cast["owner"].email in page


@pytest.mark.parametrize("verb", [verb for verb in WITH_REASON if verb != "cancel_changes"])
@pytest.mark.parametrize("message", ["", "   ", "Trop bref"])
def test_a_reason_is_asked_for_and_nothing_moves_without_it(verb, message, cast, signed_in, pdf):
    state, (role, _target, _letters) = next(iter(MOVES[verb].items()))
    application = dossier(state, owner=cast["owner"])
    before = traces(application)
    answer = signed_in(cast[role]).post(address(verb, application), typed(verb, application, pdf, message=message))
    assert answer.status_code == 200
    assert answer.context["form"].errors["message"]
    assert message.strip() in answer.content.decode()
    assert traces(application) == before


def test_a_change_request_says_what_was_asked_on_the_dossier(cast, signed_in, pdf):
    application = dossier("submitted", owner=cast["owner"])
    browser = signed_in(cast["ars"])
    data = typed("request_changes", application, pdf, message="Deux choses :\r\n- le RIB\r\n- <b>l’IBAN</b>")
    browser.post(address("request_changes", application), data)
    assert ChangeRequest.objects.get().message == "Deux choses :\n- le RIB\n- <b>l’IBAN</b>"
    page = browser.get(reverse("reviews:dossier", args=[application.reference])).content.decode()
    assert "&lt;b&gt;l’IBAN&lt;/b&gt;" in page
    assert "<b>l’IBAN</b>" not in page


def test_the_second_of_two_agents_is_told_what_happened_and_keeps_what_they_typed(cast, signed_in, pdf):
    application = dossier("submitted", owner=cast["owner"])
    data = typed("reject", application, pdf)
    perform("accept", application, by=cast["ars"])
    before = traces(application)
    answer = signed_in(cast["ars"]).post(address("reject", application), data)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert f"{cast['ars']} (Vérificateur ARS) a accepté la candidature" in page
    assert REASON in page
    assert traces(application) == before


def test_a_page_of_an_earlier_visit_is_refused_even_in_the_same_state(cast, signed_in, pdf):
    application = dossier("submitted", owner=cast["owner"])
    data = typed("accept", application, pdf)
    perform("request_changes", application, by=cast["ars"])
    perform("submit", Application.objects.get(pk=application.pk), by=cast["owner"])
    answer = signed_in(cast["ars"]).post(address("accept", application), data)
    assert answer.status_code == 409
    assert "a changé depuis" in answer.content.decode()
    assert Application.objects.get(pk=application.pk).state == "submitted"


def test_a_double_click_decides_once(cast, signed_in, pdf):
    application = dossier("submitted", owner=cast["owner"])
    browser = signed_in(cast["ars"])
    data = typed("accept", application, pdf)
    statuses = [browser.post(address("accept", application), data).status_code for _click in range(2)]
    assert statuses == [302, 409]
    assert Entry.objects.filter(subject=application.subject).count() == 1
    assert Letter.objects.count() == 1


@pytest.mark.parametrize("version", ["", "abc", "0"])
def test_a_post_without_a_version_decides_nothing(version, cast, signed_in, pdf):
    application = dossier("submitted", owner=cast["owner"])
    before = traces(application)
    data = typed("accept", application, pdf, version=version)
    assert signed_in(cast["ars"]).post(address("accept", application), data).status_code == 200
    assert traces(application) == before
