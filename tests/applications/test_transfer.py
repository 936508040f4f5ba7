"""A dossier goes to a colleague: who may, what becomes of access, what the page says."""

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from applications import actions, people
from applications.models import Application, TakeOverRequest
from applications.states import State
from ecare.journal.actions import broken_links
from ecare.journal.models import Entry
from ecare.letters.models import Letter
from tests.applications.life_cycle import ROLES, STATES, dossier, traces
from tests.applications.life_cycle import people as cast_of
from tests.applications.pages import text_of
from tests.factories import ApplicationFactory, EstablishmentFactory, UserFactory
from tests.racing import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    return cast_of(EstablishmentFactory())


def page_of(colleague) -> str:
    return reverse("applications:transfer", args=[colleague.pk])


def choice(application) -> dict:
    return {"dossier": f"{application.reference}-{application.version}"}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("role", ROLES)
def test_the_referent_alone_transfers_in_every_state_but_withdrawn(cast, role, state):
    application = dossier(state, owner=cast["owner"])
    before = traces(application)
    if role == "owner" and state != State.WITHDRAWN:
        people.transfer(application, by=cast[role], to=cast["colleague"], version=1)
        moved = Application.objects.get(pk=application.pk)
        assert (moved.referent, moved.state, moved.version) == (cast["colleague"], state, 2)
        assert moved.moved_at == application.moved_at
        assert Entry.objects.get(subject=application.subject).verb == "transfer"
        letters = Letter.objects.filter(name="transferred")
        assert {one.recipient for one in letters} == {cast["owner"].email, cast["colleague"].email}
        return
    with pytest.raises(actions.NotNow if role == "owner" else PermissionDenied):
        people.transfer(application, by=cast[role], to=cast["colleague"], version=1)
    assert traces(application) == before


@pytest.mark.parametrize("role", ["owner", "stranger", "ars", "ans", "administrator", "inactive", "not_activated"])
def test_only_an_active_colleague_receives(cast, role):
    own = cast["owner"].establishment
    cast["inactive"] = UserFactory(establishment=own, is_active=False)
    cast["not_activated"] = UserFactory(establishment=own, verified=False)
    application = dossier("draft", owner=cast["owner"])
    before = traces(application)
    with pytest.raises(actions.NotNow, match="Ce compte ne peut pas recevoir de dossier"):
        people.transfer(application, by=cast["owner"], to=cast[role], version=1)
    assert traces(application) == before


def test_what_called_the_former_referent_to_act_is_withdrawn(cast):
    application = dossier("submitted", owner=cast["owner"])
    actions.request_changes(application, by=cast["ars"], version=1, message="Le RIB est illisible.")
    people.transfer(application, by=cast["owner"], to=cast["colleague"], version=2)
    assert Letter.objects.get(name="changes_requested").state == Letter.State.CANCELLED


def test_whoever_asked_for_it_has_it(cast):
    application = dossier("draft", owner=cast["owner"])
    asked = people.request_take_over(application, by=cast["colleague"], reason="Ma collègue est partie.")
    people.transfer(application, by=cast["owner"], to=cast["colleague"], version=1)
    asked.refresh_from_db()
    assert asked.state == TakeOverRequest.State.MOOT and asked.decided_at


def test_the_account_lists_the_colleagues_and_leads_to_the_transfer(cast, signed_in):
    application = dossier("paid", owner=cast["owner"])
    UserFactory(establishment=cast["owner"].establishment, first_name="Pas", last_name="Activée", verified=False)
    page = signed_in(cast["owner"]).get(reverse("accounts:account"))
    text = text_of(page)
    assert "Vos collaborateurs" in text and str(cast["colleague"]) in text and "Activée" not in text
    assert cast["colleague"].email not in text and cast["stranger"].last_name not in text
    assert page_of(cast["colleague"]) in page.content.decode()
    assert application.reference in text


def test_without_a_dossier_there_is_nothing_to_transfer(cast, signed_in):
    ApplicationFactory(referent=cast["owner"], state=State.WITHDRAWN)
    client = signed_in(cast["owner"])
    assert page_of(cast["colleague"]) not in client.get(reverse("accounts:account")).content.decode()
    assert "Vous n’avez aucun dossier à transférer." in text_of(client.get(page_of(cast["colleague"])))


def test_the_sender_loses_access_at_once_and_the_receiver_has_it(cast, signed_in):
    application = dossier("declaration_open", owner=cast["owner"])
    sender, receiver = signed_in(cast["owner"]), signed_in(cast["colleague"])
    address = reverse("applications:detail", args=[application.reference])
    assert receiver.get(address).status_code == 404
    page = sender.post(page_of(cast["colleague"]), choice(application), follow=True)
    assert f"Le dossier n° {application.reference} est transféré à {cast['colleague']}." in text_of(page)
    assert sender.get(address).status_code == 404
    assert receiver.get(address).status_code == 200


def test_nothing_chosen_is_refused_kindly(cast, signed_in):
    application = dossier("draft", owner=cast["owner"])
    page = signed_in(cast["owner"]).post(page_of(cast["colleague"]))
    assert page.status_code == 200 and "Choisissez le dossier à transférer." in text_of(page)
    assert "Attention, vous n’aurez plus accès au dossier après validation du transfert." in text_of(page)
    assert Application.objects.get(pk=application.pk).referent == cast["owner"]


def test_a_page_that_is_old_is_told_so(cast, signed_in):
    application = dossier("submitted", owner=cast["owner"])
    data = choice(application)
    actions.accept(application, by=cast["ars"], version=1)
    page = signed_in(cast["owner"]).post(page_of(cast["colleague"]), data)
    assert "Ce dossier a changé depuis l’affichage de la page" in text_of(page)
    assert Application.objects.get(pk=application.pk).referent == cast["owner"]


@pytest.mark.parametrize("role", ["stranger", "ars", "owner"])
def test_nobody_but_a_colleague_has_such_a_page(cast, signed_in, role):
    assert signed_in(cast["owner"]).get(page_of(cast[role])).status_code == 404


@pytest.mark.parametrize("count", [1, 3])
def test_the_account_costs_the_same_however_many_colleagues(signed_in, django_assert_num_queries, count):
    owner = UserFactory()
    UserFactory.create_batch(count, establishment=owner.establishment)
    for _ in range(count):
        ApplicationFactory(referent=owner)
    client = signed_in(owner)
    with django_assert_num_queries(QUERIES):
        client.get(reverse("accounts:account"))


QUERIES = 12


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("other", ["submit", "withdraw", "transfer"])
def test_of_a_transfer_and_another_move_at_once_exactly_one_wins(cast, other):
    application = dossier("draft", owner=cast["owner"])
    second = UserFactory(establishment=cast["owner"].establishment)

    def do(act):
        act(Application.objects.get(pk=application.pk), User.objects.get(pk=cast["owner"].pk))
        return "won"

    deeds = {
        "submit": lambda mine, by: actions.submit(mine, by=by, version=1, at=timezone.now()),
        "withdraw": lambda mine, by: actions.withdraw(mine, by=by, version=1),
        "transfer": lambda mine, by: people.transfer(mine, by=by, to=second, version=1),
    }
    first = lambda mine, by: people.transfer(mine, by=by, to=cast["colleague"], version=1)  # noqa: E731
    outcomes = at_once(lambda: do(first), lambda: do(deeds[other]))
    assert sorted(map(str, outcomes)) == sorted(["won", actions.MOVED])
    assert Application.objects.get(pk=application.pk).version == 2
    assert Entry.objects.filter(subject=application.subject).count() == 1
    assert not list(broken_links(application.subject))
