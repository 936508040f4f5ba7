"""A wrong establishment, chosen at registration, is changed by an administrator."""

import pytest
from django.contrib.admin import site
from django.contrib.messages import get_messages
from django.contrib.messages.storage.cookie import CookieStorage
from django.test import RequestFactory

from accounts.actions import CannotMove, change_establishment
from accounts.admin import UserForm
from accounts.models import User
from applications.states import State
from ecare.journal.models import Entry
from ecare.letters.models import Letter
from tests.factories import ApplicationFactory, EstablishmentFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def person():
    return UserFactory()


def admin_page(person):
    return f"/administration/accounts/user/{person.pk}/change/"


def form_of(person, **changes):
    """What the administration's page sends."""
    return {
        "username": person.username,
        "civility": person.civility,
        "first_name": person.first_name,
        "last_name": person.last_name,
        "email": person.email,
        "phone": person.phone.as_e164,
        "role": person.role,
        "establishment": person.establishment_id,
        "regions": [],
        "is_active": "on",
    } | changes


def moves_of(person):
    return Entry.objects.filter(subject=f"user:{person.pk}", verb="change_establishment")


# --- the verb -----------------------------------------------------------------------------------------------------
def test_the_journal_keeps_both_establishments_and_who_changed_them(person, administrator):
    former, to = person.establishment, EstablishmentFactory(as_ght=True)
    assert change_establishment(person, by=administrator, to=to) is True
    person.refresh_from_db()
    assert person.establishment == to
    entry = moves_of(person).get()
    assert entry.actor == f"user:{administrator.pk}"
    assert entry.message == f"De {former} à {to}"
    assert entry.data == {
        "from": {"establishment": former.pk, "finess": former.finess, "name": str(former)},
        "to": {"establishment": to.pk, "finess": to.finess, "name": str(to)},
    }


def test_the_person_reads_from_where_to_where_and_what_it_means(person, administrator):
    former, to = person.establishment, EstablishmentFactory()
    change_establishment(person, by=administrator, to=to)
    letter = Letter.objects.get(name="establishment_changed")
    assert letter.recipient == person.email
    for said in (str(former), former.finess, str(to), to.finess, "au nom du nouvel établissement", "restent les siens"):
        assert said in letter.text


def test_those_whom_they_join_are_told_as_of_a_new_account_and_those_whom_they_leave_are_not(person, administrator):
    to = EstablishmentFactory()
    left, joined = UserFactory(establishment=person.establishment), UserFactory(establishment=to)
    change_establishment(person, by=administrator, to=to)
    letter = Letter.objects.get(name="colleague_registered")
    assert letter.recipient == joined.email and str(to) in letter.text and str(person) in letter.text
    assert person.username not in letter.text and person.email not in letter.text, "names only, as on the pages"
    assert not Letter.objects.filter(recipient=left.email).exists()


def test_of_a_deactivated_account_nobody_hears_as_of_a_new_colleague(administrator):
    person, to = UserFactory(is_active=False), EstablishmentFactory()
    UserFactory(establishment=to)
    change_establishment(person, by=administrator, to=to)
    assert not Letter.objects.filter(name="colleague_registered").exists()


@pytest.mark.parametrize("state", [state for state in State if state != State.WITHDRAWN])
def test_whoever_holds_a_dossier_transfers_it_first(state, person, administrator):
    dossier = ApplicationFactory(referent=person, state=state)
    with pytest.raises(CannotMove, match=rf"{dossier.reference}.*transfère"):
        change_establishment(person, by=administrator, to=EstablishmentFactory())
    person.refresh_from_db()
    assert person.establishment == dossier.establishment
    assert not Letter.objects.exists() and not moves_of(person).exists()


def test_a_withdrawn_dossier_or_a_colleagues_holds_nobody_back(person, administrator):
    ApplicationFactory(referent=person, state=State.WITHDRAWN)
    ApplicationFactory(referent=UserFactory(establishment=person.establishment), state=State.SUBMITTED)
    assert change_establishment(person, by=administrator, to=EstablishmentFactory())


def test_nobody_is_moved_to_a_closed_establishment_nor_an_agent_to_any(person, administrator):
    with pytest.raises(CannotMove, match="fermé"):
        change_establishment(person, by=administrator, to=EstablishmentFactory(closed_on="2026-01-01"))
    with pytest.raises(CannotMove, match="Seul un référent"):
        change_establishment(UserFactory(ans=True), by=administrator, to=EstablishmentFactory())


def test_the_same_establishment_again_changes_nothing(person, administrator):
    assert change_establishment(person, by=administrator, to=person.establishment) is False
    assert not Letter.objects.exists() and not moves_of(person).exists()


# --- the administration -------------------------------------------------------------------------------------------
def test_an_administrator_changes_it_on_the_persons_page(person, administrator, signed_in):
    to = EstablishmentFactory()
    browser = signed_in(administrator)
    page = browser.get(admin_page(person)).content.decode()
    assert "vous écrivez à cette personne et à ses nouveaux collaborateurs" in page
    assert browser.post(admin_page(person), form_of(person, establishment=to.pk, last_name="Roux")).status_code == 302
    person.refresh_from_db()
    assert (person.establishment, person.last_name) == (to, "Roux")
    assert moves_of(person).count() == 1
    assert Letter.objects.get(name="establishment_changed").recipient == person.email


def test_another_correction_moves_and_tells_nobody(person, administrator, signed_in):
    ApplicationFactory(referent=person, state=State.SUBMITTED)
    assert signed_in(administrator).post(admin_page(person), form_of(person, last_name="Roux")).status_code == 302
    person.refresh_from_db()
    assert person.last_name == "Roux"
    assert not moves_of(person).exists() and not Letter.objects.exists()


def test_a_refusal_stands_at_the_field_and_nothing_typed_is_lost(person, administrator, signed_in):
    dossier = ApplicationFactory(referent=person, state=State.SUBMITTED)
    sent = form_of(person, establishment=EstablishmentFactory().pk, last_name="Roux")
    answer = signed_in(administrator).post(admin_page(person), sent)
    [error] = answer.context["adminform"].form.errors["establishment"]
    assert dossier.reference in error and "Roux" in answer.content.decode()
    person.refresh_from_db()
    assert person.establishment == dossier.establishment and person.last_name != "Roux"


def test_a_closed_establishment_is_refused_at_the_field(person, administrator, signed_in):
    closed = EstablishmentFactory(closed_on="2026-01-01")
    answer = signed_in(administrator).post(admin_page(person), form_of(person, establishment=closed.pk))
    assert "fermé" in answer.context["adminform"].form.errors["establishment"][0]


def test_who_becomes_an_agent_leaves_no_dossier_behind(person, administrator, signed_in):
    sent = form_of(person, role="ans", establishment="")
    dossier = ApplicationFactory(referent=person, state=State.SUBMITTED)
    browser = signed_in(administrator)
    answer = browser.post(admin_page(person), sent)
    assert dossier.reference in answer.context["adminform"].form.errors["establishment"][0]
    dossier.delete()
    assert browser.post(admin_page(person), sent).status_code == 302
    person.refresh_from_db()
    assert person.is_ans and person.establishment is None


def test_a_dossier_begun_after_the_form_was_checked_is_said_and_nobody_moves(person, administrator):
    """The verb, under its lock, has the last word."""
    former, to = person.establishment, EstablishmentFactory()
    request = RequestFactory().post(admin_page(person))
    request.user, request._messages = administrator, CookieStorage(request)
    form = UserForm(form_of(person, establishment=to.pk), instance=person)
    assert form.is_valid()
    ApplicationFactory(referent=User.objects.get(pk=person.pk), state=State.DRAFT)
    site._registry[User].save_model(request, form.save(commit=False), form, change=True)
    assert ["suit encore le dossier" in str(message) for message in get_messages(request)] == [True]
    person.refresh_from_db()
    assert person.establishment == former
