"""An administrator puts another e-mail in the place of a person's: for who lost their mailbox, and never unheard."""

from datetime import timedelta

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.db import transaction
from django.test import Client
from django.utils import timezone

from accounts import actions, mailboxes, second_factor
from accounts.agents import invite
from accounts.models import EmailChange, EmailCorrection, Invitation, OpenSession, SignInCode, User
from ecare.journal.models import Entry
from ecare.letters.models import Letter
from tests.accounts.steps import enrolled, give_code, give_password, secret_of
from tests.accounts.test_admin import change
from tests.applications.pages import text_of
from tests.factories import RegionFactory, UserFactory

pytestmark = pytest.mark.django_db

FORMER, NEW, WHY = "dominique@ars.example", "autre@ailleurs.example", "Sa messagerie a fermé en octobre."


@pytest.fixture
def desk(administrator, signed_in):
    return signed_in(administrator)


@pytest.fixture
def agent():
    return UserFactory(ars=True, email=FORMER, username="dominique", regions=[RegionFactory()])


@pytest.fixture
def corrected(agent, administrator):
    correct(agent, administrator)
    return EmailCorrection.objects.get(user=agent)


def correct(person, by, email=NEW):
    return mailboxes.correct_email(person, by=by, email=email, reason=WHY)


def stop_link() -> str:
    return f"/compte/adresse/arreter/{secret_of('email_correction_to_stop')}/"


def letters(name) -> set[str]:
    return set(Letter.objects.filter(name=name).exclude(state="cancelled").values_list("recipient", flat=True))


def asks_for_a_password(email=NEW) -> str:
    """The name of the letter that « Mot de passe oublié ? » sends."""
    Client().post("/mot-de-passe/", {"email": email})
    return Letter.objects.filter(recipient=email).latest("created_at").name


# --- what it does ---------------------------------------------------------------------------------------------------
def test_both_mailboxes_hear_it_and_nothing_that_was_asked_from_the_former_goes_on(desk, agent, signed_in):
    theirs, half = signed_in(agent), Client()
    give_password(half, agent)
    asks_for_a_password(FORMER)
    former_link = f"/mot-de-passe/nouveau/{secret_of('password_reset')}/"
    actions.request_email_change(agent, "troisieme@exemple.fr")
    assert change(desk, agent, email=NEW.upper(), email_reason=WHY).status_code == 302
    agent.refresh_from_db()
    assert agent.email == NEW
    assert EmailAddress.objects.get(user=agent).email == NEW and EmailAddress.objects.get(user=agent).verified
    assert letters("email_correction_to_stop") == {FORMER} and letters("email_corrected") == {NEW}
    assert all(WHY in letter.text for letter in Letter.objects.filter(name__contains="correct"))
    assert theirs.get("/compte/").status_code == 302 and not OpenSession.objects.filter(user=agent).exists()
    assert not SignInCode.objects.filter(user=agent, confirmed=False).exists() and not EmailChange.objects.exists()
    assert not letters("code") and not letters("password_reset") and not letters("email_change_to_confirm")
    assert "n’est plus valable" in text_of(Client().get(former_link, follow=True))


def test_the_journal_says_why_and_which_without_the_addresses(desk, administrator, agent):
    change(desk, agent, email=NEW, email_reason=WHY)
    entry = Entry.objects.get(subject=f"user:{agent.pk}", verb="correct_email")
    assert (entry.actor, entry.message) == (f"user:{administrator.pk}", WHY)
    assert entry.data == {"from": "d…@ars.example", "to": "a…@ailleurs.example"}


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"email": NEW}, "email_reason", "ce motif est obligatoire"),
        ({"email": NEW, "email_reason": "perdue"}, "email_reason", "au moins 10 caractères"),
        ({"email": "prise@exemple.fr", "email_reason": WHY}, "email", ""),
    ],
)
def test_what_is_wrong_is_said_at_its_field(desk, agent, changes, field, said):
    UserFactory(email="prise@exemple.fr")
    errors = change(desk, agent, **changes).context["adminform"].form.errors
    assert said in str(errors[field])
    assert User.objects.get(pk=agent.pk).email == FORMER and not EmailCorrection.objects.exists()


def test_nobody_corrects_their_own(desk, administrator):
    page = change(desk, administrator, email=NEW, email_reason=WHY)
    assert "sous « Votre compte »" in text_of(page).replace("\u00a0", " ")
    with pytest.raises(mailboxes.CannotCorrect):
        correct(administrator, administrator)


def test_one_taken_meanwhile_is_refused(agent, administrator):
    UserFactory(email=NEW)
    with pytest.raises(mailboxes.CannotCorrect, match="déjà un compte"), transaction.atomic():
        correct(agent, administrator)
    assert User.objects.get(pk=agent.pk).email == FORMER


def test_an_invitation_to_either_mailbox_opens_no_second_account(agent, administrator):
    invite(Invitation(email=NEW, role="ans"), regions=[], by=None)
    correct(agent, administrator)
    assert Invitation.objects.get().state == Invitation.State.REVOKED


def test_saving_a_person_without_another_email_corrects_nothing(desk, agent):
    change(desk, agent, first_name="Éva", email_reason=WHY)
    assert not EmailCorrection.objects.exists() and not Letter.objects.exists()


# --- the hold -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("trait", [{}, {"ans": True}, {"administrator": True}])
def test_the_new_mailbox_chooses_no_password_for_three_days(administrator, trait):
    person = UserFactory(email=FORMER, **trait)
    correct(person, administrator)
    assert asks_for_a_password() == "password_reset_held"
    assert asks_for_a_password(FORMER) == "account_not_found"
    with time_machine.travel(timezone.now() + timedelta(hours=71)):
        assert asks_for_a_password() == "password_reset_held"
    with time_machine.travel(timezone.now() + timedelta(hours=73)):
        assert asks_for_a_password() == "password_reset"


def test_who_knows_the_password_signs_in_at_once(corrected, agent):
    agent.refresh_from_db()
    client = Client()
    give_password(client, agent)
    assert give_code(client, secret_of("code", to=NEW)).status_code == 302
    assert client.get("/compte/").status_code == 200


def test_no_second_factor_is_reset_meanwhile(desk, agent, administrator):
    enrolled(agent)
    correct(agent, administrator)
    with pytest.raises(second_factor.CannotReset, match="vient d’être remplacée"):
        second_factor.reset(agent, by=administrator)
    chosen = {"action": "reset_second_factor", "_selected_action": [agent.pk], "confirmed": "1"}
    assert "peut être réinitialisée à partir du" in text_of(
        desk.post("/administration/accounts/user/", chosen, follow=True)
    )
    assert User.objects.get(pk=agent.pk).second_factor_since
    with time_machine.travel(timezone.now() + timedelta(hours=73)):
        assert second_factor.reset(agent, by=administrator)


# --- the former mailbox stops it --------------------------------------------------------------------------------------
def test_the_former_mailbox_stops_it_with_one_button(corrected, agent, administrator, signed_in):
    agent.refresh_from_db()
    other, theirs, link = UserFactory(administrator=True), signed_in(agent), stop_link()
    page = Client().get(link)
    assert NEW in text_of(page) and "no-store" in page["Cache-Control"]
    assert User.objects.get(pk=agent.pk).email == NEW, "a mail gateway that opens the link stops nothing"
    assert "Le changement est arrêté" in text_of(Client().post(link))
    agent.refresh_from_db()
    assert agent.email == FORMER and EmailAddress.objects.get(user=agent).email == FORMER
    assert theirs.get("/compte/").status_code == 302 and not EmailCorrection.objects.exists()
    assert letters("email_correction_stopped") == {FORMER, NEW, administrator.email, other.email}
    assert Entry.objects.get(verb="stop_email_correction").data["to"] == "d…@ars.example"
    assert asks_for_a_password(FORMER) == "password_reset"
    assert Client().post(link).status_code == 410


def test_not_after_three_days_and_not_with_an_invented_link(corrected, agent):
    link = stop_link()
    with time_machine.travel(timezone.now() + timedelta(hours=73)):
        assert Client().get(link).status_code == Client().post(link).status_code == 410
    assert Client().post("/compte/adresse/arreter/abc/").status_code == 410
    assert User.objects.get(pk=agent.pk).email == NEW


def test_corrected_twice_it_is_still_the_first_mailbox_that_stops_it(corrected, agent, administrator):
    correct(agent, administrator, "encore@ailleurs.example")
    assert letters("email_correction_to_stop") == {FORMER}
    Client().post(stop_link())
    assert User.objects.get(pk=agent.pk).email == FORMER


def test_given_back_to_the_first_mailbox_nothing_is_held(corrected, agent, administrator):
    correct(agent, administrator, FORMER)
    assert not EmailCorrection.objects.exists() and asks_for_a_password(FORMER) == "password_reset"


def test_whoever_signed_in_meanwhile_and_moved_on_is_stopped_too(corrected, agent):
    """With a password that was known, from the new mailbox to a third one."""
    agent.refresh_from_db()
    change_of = actions.request_email_change(agent, "troisieme@exemple.fr")
    for side in EmailChange.Side:
        actions.confirm_email_change(change_of, side)
    assert User.objects.get(pk=agent.pk).email == "troisieme@exemple.fr"
    assert asks_for_a_password("troisieme@exemple.fr") == "password_reset_held"
    Client().post(stop_link())
    assert User.objects.get(pk=agent.pk).email == FORMER


def test_a_former_email_that_has_another_account_is_not_taken_back(corrected, agent):
    link = stop_link()
    UserFactory(email=FORMER)
    assert Client().post(link).status_code == 410
    assert User.objects.get(pk=agent.pk).email == NEW


# --- an account that nobody has used ----------------------------------------------------------------------------------
def test_a_slip_at_registration_is_mended_by_another_activation(administrator):
    person = UserFactory(email=FORMER, verified=False)
    correct(person, administrator)
    assert letters("activation") == {NEW} and not EmailCorrection.objects.exists()
    person.refresh_from_db()
    client = Client()
    give_password(client, person)
    assert not SignInCode.objects.filter(user=person).exists(), "not before the mailbox that was meant is opened"
