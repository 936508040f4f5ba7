"""A colleague is gone: another asks for the dossier, the ARS or the ANS decides, everyone is told."""

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from accounts.models import User
from applications import people
from applications.actions import NotNow
from applications.models import Answer, Application, TakeOverRequest
from applications.states import State
from ecare.journal.models import Entry
from ecare.letters.actions import deliver, gather
from ecare.letters.models import Letter
from tests.applications.life_cycle import ROLES, STATES, dossier, traces
from tests.applications.life_cycle import people as cast_of
from tests.applications.pages import text_of
from tests.factories import ApplicationFactory, EstablishmentFactory, UserFactory
from tests.racing import at_once

pytestmark = pytest.mark.django_db

REASON = "Ma collègue a quitté l’établissement."
LIST = "/candidatures/reprises/"


@pytest.fixture
def cast():
    return cast_of(EstablishmentFactory())


@pytest.fixture
def application(cast):
    return dossier("declaration_open", owner=cast["owner"])


@pytest.fixture
def asked(cast, application):
    return people.request_take_over(application, by=cast["colleague"], reason=REASON)


def told(name) -> set[str]:
    return set(Letter.objects.filter(name=name).values_list("recipient", flat=True))


def emails_of(cast, *roles) -> set[str]:
    return {cast[role].email for role in roles}


# --- asking -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("role", ROLES)
def test_a_colleague_alone_asks_in_every_state_but_withdrawn(cast, role, state):
    application = dossier(state, owner=cast["owner"])
    before = traces(application)
    if role == "colleague" and state != State.WITHDRAWN:
        asked = people.request_take_over(application, by=cast[role], reason=REASON)
        assert asked.is_open and Application.objects.get(pk=application.pk).referent == cast["owner"]
        assert told("take_over_requested") == emails_of(cast, "colleague", "owner")
        assert told("take_over_to_decide") == emails_of(cast, "ars")
        assert Entry.objects.get(subject=application.subject).verb == "request_take_over"
        return
    with pytest.raises(NotNow if role == "colleague" else PermissionDenied):
        people.request_take_over(application, by=cast[role], reason=REASON)
    assert traces(application) == before


def test_where_the_ars_has_no_agent_the_ans_is_told(cast, application):
    cast["ars"].regions.clear()
    people.request_take_over(application, by=cast["colleague"], reason=REASON)
    assert told("take_over_to_decide") == emails_of(cast, "ans")


@pytest.mark.parametrize("is_decided", [True, False])
def test_an_agent_with_one_letter_a_day_reads_of_requests_that_still_wait(cast, application, is_decided):
    User.objects.filter(pk=cast["ars"].pk).update(wants_daily_letter=True)
    asked = people.request_take_over(application, by=cast["colleague"], reason=REASON)
    deliver()
    letter = Letter.objects.get(name="take_over_to_decide", recipient=cast["ars"].email)
    assert letter.state == Letter.State.HELD
    if is_decided:
        people.accept_take_over(asked, by=cast["ars"], holder=cast["owner"].pk)
    gather(letter.send_after)
    letter.refresh_from_db()
    assert letter.state == (Letter.State.CANCELLED if is_decided else Letter.State.GATHERED)
    assert (cast["ars"].email in told("digest")) is not is_decided


def test_one_request_per_dossier_and_person(cast, application, asked):
    with pytest.raises(people.AlreadyAsked):
        people.request_take_over(application, by=cast["colleague"], reason=REASON)
    people.request_take_over(
        application, by=UserFactory(establishment=cast["owner"].establishment), reason="Moi aussi, en son absence."
    )
    assert TakeOverRequest.objects.open().count() == 2


def test_the_list_names_the_dossiers_of_colleagues_and_nothing_that_stands_in_them(cast, application, signed_in):
    question = application.candidature_form.sections.get().questions.get()
    Answer.objects.create(application=application, question=question, value="Secret du brouillon")
    theirs = ApplicationFactory(referent=cast["stranger"])
    text = text_of(signed_in(cast["colleague"]).get(LIST))
    assert application.reference in text and str(cast["owner"]) in text and str(application.domain) in text
    assert "Secret du brouillon" not in text and application.get_state_display() not in text
    assert theirs.reference not in text
    assert application.reference not in text_of(signed_in(cast["owner"]).get(LIST))


def test_a_colleague_asks_with_a_reason(cast, application, signed_in):
    client, address = signed_in(cast["colleague"]), f"{LIST}{application.reference}/"
    short = client.post(address, {"reason": "Partie"})
    assert "Ce motif est trop court" in text_of(short) and ">Partie</textarea>" in short.content.decode().replace(
        "\n", ""
    )
    assert "Votre demande de reprise" in text_of(client.post(address, {"reason": REASON}, follow=True))
    assert "Demande en attente" in text_of(client.get(LIST))
    assert "Vous avez déjà demandé" in text_of(client.post(address, {"reason": REASON}, follow=True))
    assert client.get(reverse("applications:detail", args=[application.reference])).status_code == 404


@pytest.mark.parametrize("role", ["stranger", "owner"])
def test_nobody_but_a_colleague_finds_the_page(cast, application, signed_in, role):
    assert signed_in(cast[role]).get(f"{LIST}{application.reference}/").status_code == 404


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_costs_the_same_however_long(signed_in, django_assert_num_queries, count):
    owner = UserFactory()
    colleague = UserFactory(establishment=owner.establishment)
    for application in ApplicationFactory.create_batch(count, referent=owner):
        people.request_take_over(application, by=colleague, reason=REASON)
    client = signed_in(colleague)
    with django_assert_num_queries(6):
        client.get(LIST)


# --- deciding -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("role", ROLES)
def test_the_ars_of_the_region_or_the_ans_decides(cast, application, asked, role):
    holder = application.referent_id
    if role in ("ars", "ans"):
        people.accept_take_over(asked, by=cast[role], holder=holder)
        assert Application.objects.get(pk=application.pk).referent == cast["colleague"]
        assert told("take_over_accepted") == emails_of(cast, "colleague", "owner")
        asked.refresh_from_db()
        assert (asked.state, asked.decided_by) == (TakeOverRequest.State.ACCEPTED, cast[role])
        return
    for act, more in ((people.accept_take_over, {}), (people.refuse_take_over, {"message": "Inconnu ici."})):
        with pytest.raises(PermissionDenied):
            act(asked, by=cast[role], holder=holder, **more)
    assert Application.objects.get(pk=application.pk).referent == cast["owner"]


def test_a_refusal_says_why_to_both_and_leaves_the_dossier(cast, application, asked, signed_in):
    people.refuse_take_over(asked, by=cast["ans"], holder=application.referent_id, message="Compte inconnu ici.")
    assert Application.objects.get(pk=application.pk).referent == cast["owner"]
    assert told("take_over_refused") == emails_of(cast, "colleague", "owner")
    assert "Compte inconnu ici." in text_of(signed_in(cast["colleague"]).get(LIST))
    people.request_take_over(application, by=cast["colleague"], reason="Voici une attestation de ma direction.")


def test_what_was_decided_is_decided(cast, application, asked):
    people.refuse_take_over(asked, by=cast["ans"], holder=application.referent_id, message="Compte inconnu ici.")
    with pytest.raises(NotNow, match=f"refusée par {cast['ans']}"):
        people.accept_take_over(asked, by=cast["ars"], holder=application.referent_id)


def test_not_when_the_dossier_went_elsewhere_meanwhile(cast, application, asked):
    third = UserFactory(establishment=cast["owner"].establishment)
    people.transfer(application, by=cast["owner"], to=third, version=1)
    with pytest.raises(NotNow, match="a changé de référent"):
        people.accept_take_over(asked, by=cast["ars"], holder=cast["owner"].pk)


def test_not_to_an_account_that_was_closed_meanwhile(cast, application, asked):
    cast["colleague"].is_active = False
    cast["colleague"].save()
    with pytest.raises(NotNow, match="Ce compte ne peut pas recevoir"):
        people.accept_take_over(asked, by=cast["ars"], holder=application.referent_id)
    asked.refresh_from_db()
    assert asked.is_open


# --- the pages of the agents --------------------------------------------------------------------------------------
def decide(client, asked, verb, **data):
    data = {"holder": asked.application.referent_id} | data
    return client.post(reverse(f"reviews:{verb}_take_over", args=[asked.pk]), data, follow=True)


def test_an_agent_finds_the_request_from_the_queue_and_accepts_it(cast, asked, signed_in):
    client = signed_in(cast["ars"])
    assert "Demandes des établissements (1 en attente)" in text_of(client.get("/verification/"))
    page = client.get(reverse("reviews:requests"))
    assert REASON in text_of(page) and reverse("reviews:accept_take_over", args=[asked.pk]) in page.content.decode()
    question = text_of(client.get(reverse("reviews:accept_take_over", args=[asked.pk])))
    assert cast["owner"].email in question and cast["colleague"].email in question
    assert "la reprise est acceptée" in text_of(decide(client, asked, "accept"))
    assert "Acceptée le" in text_of(client.get(reverse("reviews:requests") + "?etat=decidees"))


def test_a_refusal_without_reason_is_not_taken(cast, asked, signed_in):
    assert "Écrivez ce texte" in text_of(decide(signed_in(cast["ans"]), asked, "refuse", message=""))
    assert "la reprise est refusée" in text_of(
        decide(signed_in(cast["ans"]), asked, "refuse", message="Compte inconnu.")
    )


def test_the_second_agent_is_told(cast, asked, signed_in):
    decide(signed_in(cast["ars"]), asked, "accept")
    page = decide(signed_in(cast["ans"]), asked, "refuse", message="Compte inconnu ici.", holder=cast["owner"].pk)
    assert page.status_code == 409 and f"acceptée par {cast['ars']}" in text_of(page)


@pytest.mark.parametrize("count", [1, 3])
def test_the_requests_cost_the_same_however_many(cast, signed_in, django_assert_num_queries, count):
    for application in ApplicationFactory.create_batch(count, referent=cast["owner"]):
        people.request_take_over(application, by=cast["colleague"], reason=REASON)
    client = signed_in(cast["ans"])
    with django_assert_num_queries(7):
        client.get(reverse("reviews:requests"))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("other", ["accept", "refuse", "transfer"])
def test_of_two_who_decide_at_once_exactly_one_wins(cast, other):
    application = dossier("submitted", owner=cast["owner"])
    asked = people.request_take_over(application, by=cast["colleague"], reason=REASON)
    holder, third = cast["owner"].pk, UserFactory(establishment=cast["owner"].establishment)

    def do(act):
        act(TakeOverRequest.objects.select_related("application").get(pk=asked.pk))
        return "won"

    deeds = {
        "accept": lambda mine: people.accept_take_over(mine, by=cast["ans"], holder=holder),
        "refuse": lambda mine: people.refuse_take_over(mine, by=cast["ans"], holder=holder, message="Inconnu ici."),
        "transfer": lambda mine: people.transfer(mine.application, by=cast["owner"], to=third, version=1),
    }
    first = lambda mine: people.accept_take_over(mine, by=cast["ars"], holder=holder)  # noqa: E731
    met = at_once(lambda: do(first), lambda: do(deeds[other]))
    outcomes = ["told" if isinstance(one, NotNow) else one for one in met]
    assert sorted(outcomes) == ["told", "won"]
