"""An agent comes by invitation: sent from the administration, accepted once, within seven days."""

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts import agents
from accounts.actions import Person, UsernameTaken
from accounts.models import Invitation, User
from ecare.french import paris_datetime
from ecare.journal.models import Entry
from ecare.letters.models import Letter
from tests.accounts.steps import NEW_PASSWORD, give_code, give_password, secret_of
from tests.applications.pages import text_of
from tests.factories import RegionFactory, UserFactory
from tests.racing import at_once

pytestmark = pytest.mark.django_db

LIST, ADD = "/administration/accounts/invitation/", "/administration/accounts/invitation/add/"
EMAIL = "agent@ars.example"


def invite(role="ars", email=EMAIL):
    regions = [RegionFactory()] if role == "ars" else []
    return agents.invite(Invitation(email=email, role=role), regions=regions, by=None)


def link_of(email=EMAIL):
    return f"/invitation/{secret_of('invitation', to=email)}/"


def typed(**changes):
    return {
        "civility": "madame",
        "last_name": "Lovelace",
        "first_name": "Ada",
        "username": "ada.lovelace",
        "phone": "",
        "password1": NEW_PASSWORD,
        "password2": NEW_PASSWORD,
    } | changes


def act(admin, action, *invitations):
    chosen = {"action": action, "_selected_action": [one.pk for one in invitations]}
    asked = admin.post(LIST, chosen)
    assert all(one.email in asked.text for one in invitations), "says whom it is about"
    return text_of(admin.post(LIST, chosen | {"confirmed": "1"}, follow=True))


# --- inviting -----------------------------------------------------------------------------------------------------
def test_an_administrator_invites_and_the_agent_signs_in(admin, administrator, client):
    region = RegionFactory()
    page = text_of(admin.get(ADD))
    assert "vous envoyez à cette adresse un courrier" in page and "Inviter un agent" in page
    assert 'value="Envoyer l’invitation"' in page and "Enregistrer et ajouter" not in page
    said = admin.post(ADD, {"email": EMAIL.upper(), "role": "ars", "regions": [region.pk]}, follow=True)
    invitation = Invitation.objects.get()
    assert (invitation.email, invitation.by, invitation.state) == (EMAIL, administrator, "waiting")
    until = paris_datetime(invitation.until).replace("\u00a0", " ")
    assert f"L’invitation est envoyée à {EMAIL} ; elle est valable jusqu’au {until}." in text_of(said)
    letter = Letter.objects.get()
    assert letter.carries_secret and letter.expires_at == invitation.until and region.ars in letter.text
    page = client.get(link_of())
    for said in ("Agence du Numérique en Santé (ANS) vous invite", "Vérificateur ARS", region.ars, EMAIL):
        assert said in text_of(page)
    assert client.post(link_of(), typed())["Location"] == "/connexion/"
    user = User.objects.get(username="ada.lovelace")
    assert (user.email, user.role, user.is_staff, user.establishment) == (EMAIL, "ars", False, None)
    assert list(user.regions.all()) == [region] and EmailAddress.objects.get(user=user).verified
    give_password(client, user, password=NEW_PASSWORD)
    assert give_code(client, secret_of("code"))["Location"] == "/verification/"
    entries = Entry.objects.filter(subject=invitation.subject).order_by("sequence")
    assert [(entry.verb, entry.actor) for entry in entries] == [
        ("invite", f"user:{administrator.pk}"),
        ("accept_invitation", f"user:{user.pk}"),
    ]


@pytest.mark.parametrize(("role", "is_staff"), [("ans", False), ("administrator", True)])
def test_each_role_gets_what_is_its_own(client, role, is_staff):
    invite(role)
    client.post(link_of(), typed(phone="06 12 34 56 78"))
    user = User.objects.get(username="ada.lovelace")
    assert (user.role, user.is_staff, user.is_superuser) == (role, is_staff, False)
    assert str(user.phone) == "+33612345678" and not user.regions.exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"role": "ars"}, "regions"),
        ({"role": "ans", "regions": ["76"]}, "regions"),
        ({"role": "referent"}, "role"),
        ({"email": "sans-arobase"}, "email"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(admin, changes, field):
    RegionFactory()
    response = admin.post(ADD, {"email": EMAIL, "role": "ans"} | changes)
    assert field in response.context["adminform"].form.errors
    assert not Letter.objects.exists() and not Invitation.objects.exists()


@pytest.mark.parametrize("is_active", [True, False])
def test_an_email_that_has_an_account_is_refused_in_words(admin, is_active):
    owner = UserFactory(email="prise@exemple.fr", is_active=is_active)
    errors = admin.post(ADD, {"email": "Prise@exemple.fr", "role": "ans"}).context["adminform"].form.errors
    assert f"Cette adresse a déjà un compte\u00a0: {owner} (Référent" in errors["email"][0]
    assert ("désactivé)" in errors["email"][0]) != is_active
    assert not Letter.objects.exists()


def test_an_account_never_activated_gives_way(client):
    UserFactory(email=EMAIL, verified=False, username="ada.lovelace")
    invite("ans")
    assert client.post(link_of(), typed()).status_code == 302
    assert User.objects.get(email=EMAIL).role == "ans"


def test_a_second_invitation_is_refused_and_says_what_to_do(admin):
    invite("ans")
    errors = admin.post(ADD, {"email": EMAIL, "role": "administrator"}).context["adminform"].form.errors
    assert "a déjà une invitation en attente" in errors["email"][0] and "Renvoyer" in errors["email"][0]
    with pytest.raises(agents.CannotInvite, match="a déjà une invitation"):
        invite("ans")


def test_the_list_says_where_each_stands(admin, client, time_machine):
    accepted, revoked, expired = (invite("ans", f"{name}@ars.example") for name in ("a", "b", "c"))
    client.post(link_of("a@ars.example"), typed())
    agents.revoke_invitation(revoked, by=UserFactory(administrator=True))
    Invitation.objects.filter(pk=expired.pk).update(until=timezone.now())
    waiting = invite("ans", "d@ars.example")
    page = text_of(admin.get(LIST))
    assert all(label in page for label in ("En attente", "Acceptée", "Expirée", "Révoquée"))
    for state, one in [("waiting", waiting), ("accepted", accepted), ("expired", expired), ("revoked", revoked)]:
        assert list(admin.get(LIST, {"etat": state}).context["cl"].queryset) == [one]


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_costs_the_same_however_long(admin, administrator, django_assert_num_queries, count):
    for rank in range(count):
        agents.invite(Invitation(email=f"a{rank}@ars.example", role="ars"), regions=[RegionFactory()], by=administrator)
    with django_assert_num_queries(10):
        admin.get(LIST)


def test_nothing_of_an_invitation_is_changed_by_hand(admin):
    invitation = invite("ans")
    page = f"{LIST}{invitation.pk}/change/"
    assert admin.get(page).status_code == 200
    assert invitation.token not in admin.get(page).text
    assert admin.post(page, {"email": "x@y.fr", "role": "administrator"}).status_code == 403
    assert admin.get(LIST, {"token__startswith": "a"}).status_code == 400


def test_only_a_keyed_hash_of_the_secret_is_kept():
    invitation = invite("ans")
    secret = secret_of("invitation")
    assert len(secret) >= 43 and len(invitation.token) == 64
    letter = Letter.objects.get()
    assert secret not in invitation.token + letter.text + letter.html
    assert secret not in str(list(Entry.objects.values()))


# --- sending again, revoking --------------------------------------------------------------------------------------
def test_sending_again_makes_the_former_link_useless(admin, client):
    invitation, former = invite("ans"), link_of()
    Invitation.objects.update(until=timezone.now() - timedelta(days=1))
    assert "Invitations renvoyées\u00a0: 1" in act(admin, "resend", invitation).replace(" :", "\u00a0:")
    assert Letter.objects.filter(state="cancelled").count() == 1
    assert "Ce lien n’est plus valable" in text_of(client.get(former))
    assert client.post(former, typed()).status_code == 410
    assert client.post(link_of(), typed()).status_code == 302


def test_a_revoked_one_says_so_and_whom_to_ask(admin, client, settings):
    invitation = invite("ans")
    act(admin, "revoke", invitation)
    assert Letter.objects.get().state == "cancelled"
    for page in (client.get(link := link_of_cancelled(invitation)), client.post(link, typed())):
        assert page.status_code == 410
        assert "Cette invitation a été révoquée" in text_of(page) and settings.SUPPORT_ADDRESS in page.text
    assert not User.objects.filter(email=EMAIL).exists()
    assert invite("administrator").pk != invitation.pk, "another may be sent"


def link_of_cancelled(invitation):
    """A letter that was read before it was cancelled: its secret is given anew, by hand."""
    secret = "lu-avant-la-revocation"
    Invitation.objects.filter(pk=invitation.pk).update(token=Invitation.digest(secret))
    return f"/invitation/{secret}/"


def test_what_was_answered_is_neither_sent_again_nor_revoked(admin, client):
    invitation = invite("ans")
    client.post(link_of(), typed())
    for action in ("resend", "revoke"):
        assert "Déjà acceptées" in act(admin, action, invitation)
    invitation.refresh_from_db()
    assert invitation.state == "accepted"


def test_an_expired_one_says_so(client, time_machine):
    time_machine.move_to("2026-03-02 10:00Z", tick=False)
    invite("ans")
    link = link_of()
    time_machine.move_to("2026-03-09 09:59:59Z", tick=False)
    assert client.get(link).status_code == 200
    time_machine.move_to("2026-03-09 10:00Z", tick=False)
    page = client.post(link, typed())
    assert page.status_code == 410 and "Cette invitation a expiré" in text_of(page)
    assert not User.objects.filter(email=EMAIL).exists()


# --- accepting ----------------------------------------------------------------------------------------------------
def test_opening_the_link_opens_no_account_and_is_not_stored(client):
    invite("ans")
    page = client.get(link_of())
    assert not User.objects.exists() and "no-store" in page["Cache-Control"]


def test_it_serves_once(client):
    invite("ans")
    link = link_of()
    assert client.post(link, typed()).status_code == 302
    for page in (client.get(link), client.post(link, typed(username="autre.nom"))):
        assert page.status_code == 410 and "Cette invitation a déjà servi" in text_of(page)
    assert User.objects.count() == 1


def test_an_account_opened_meanwhile_is_said(client):
    invite("ans")
    UserFactory(email=EMAIL)
    page = client.post(link_of(), typed())
    assert page.status_code == 410 and "Cette adresse a déjà un compte" in text_of(page)


def test_a_taken_name_comes_with_others(client):
    UserFactory(username="Ada.Lovelace")
    invite("ans")
    page = client.post(link_of(), typed())
    assert "déjà pris" in text_of(page) and "Noms disponibles" in text_of(page)
    assert page.context["form"].suggestions
    assert not User.objects.filter(email=EMAIL).exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"password1": "court", "password2": "court"}, "password1"),
        ({"password1": "Ada.Lovelace-1815", "password2": "Ada.Lovelace-1815"}, "password1"),
        ({"password1": ""}, "password1"),
        ({"password2": "Autre-Montagne-77"}, "password2"),
        ({"username": "a@b"}, "username"),
        ({"civility": ""}, "civility"),
        ({"last_name": "https://arnaque"}, "last_name"),
        ({"first_name": ""}, "first_name"),
        ({"phone": "12"}, "phone"),
    ],
)
def test_what_is_typed_is_checked_as_at_the_registration(client, changes, field):
    invite("ans")
    page = client.post(link_of(), typed(**changes))
    assert list(page.context["form"].errors) == [field]
    assert not User.objects.exists()


@pytest.mark.parametrize("posted", ["email", "role", "is_staff", "is_superuser", "regions"])
def test_nothing_else_is_taken(client, posted):
    invite("ans")
    client.post(link_of(), typed(**{posted: "administrator"}))
    user = User.objects.get(username="ada.lovelace")
    assert (user.email, user.role, user.is_staff, user.is_superuser) == (EMAIL, "ans", False, False)


def test_somebody_signed_in_is_asked_to_sign_out_first(signed_in):
    invite("ans")
    client = signed_in(UserFactory())
    for page in (client.get(link_of()), client.post(link_of(), typed())):
        assert "connecté avec un autre compte" in text_of(page)
    assert not User.objects.filter(email=EMAIL).exists()


def test_guesses_of_links_are_limited(client):
    assert {client.post("/invitation/abc/").status_code for _ in range(60)} == {410}
    assert client.post("/invitation/abc/").status_code == 429


# --- at once ------------------------------------------------------------------------------------------------------
def _together(*calls):
    refusals = (agents.InvitationOver, agents.CannotInvite, UsernameTaken)
    outcomes = at_once(*calls, refusals=refusals)
    return sorted(type(one).__name__ if isinstance(one, refusals) else "done" if one else "nothing" for one in outcomes)


def _accepting(invitation, username):
    told = {"civility": "madame", "first_name": "Ada", "last_name": "Lovelace", "phone": ""}
    person = Person(username=username, email=invitation.email, **told)
    return lambda: agents.accept_invitation(invitation, person, password_hash=make_password("x"))


@pytest.mark.django_db(transaction=True)
def test_of_simultaneous_acceptances_one_opens_an_account():
    invitation = invite("ans")
    outcomes = _together(*[_accepting(invitation, f"ada{rank}") for rank in range(4)])
    assert outcomes == ["InvitationOver"] * 3 + ["done"]
    assert User.objects.count() == EmailAddress.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_people_with_one_name_the_first_has_it():
    people = [invite("ans", f"a{rank}@ars.example") for rank in range(3)]
    outcomes = _together(*[_accepting(one, "ada.lovelace") for one in people])
    assert outcomes == ["UsernameTaken"] * 2 + ["done"]
    assert Invitation.objects.unanswered().count() == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("rank", range(4))
def test_an_acceptance_and_a_revocation_exclude_each_other(administrator, rank):
    invitation = invite("ans")
    revoking = lambda: agents.revoke_invitation(invitation, by=administrator)  # noqa: E731
    outcomes = _together(_accepting(invitation, "ada"), revoking)
    invitation.refresh_from_db()
    assert User.objects.filter(email=EMAIL).exists() == (invitation.state == "accepted")
    assert outcomes == (["done", "nothing"] if invitation.state == "accepted" else ["InvitationOver", "done"])


@pytest.mark.django_db(transaction=True)
def test_two_administrators_invite_somebody_once():
    calls = [lambda: agents.invite(Invitation(email=EMAIL, role="ans"), regions=[], by=None)] * 3
    assert _together(*calls) == ["CannotInvite"] * 2 + ["done"]
    assert Letter.objects.count() == 1


# --- from the command line ----------------------------------------------------------------------------------------
def test_the_first_administrator_is_invited_from_the_command_line(capsys):
    call_command("invite_agent", EMAIL)
    assert Invitation.objects.get().role == "administrator" and Letter.objects.get().recipient == EMAIL
    assert secret_of("invitation") not in capsys.readouterr().out
    RegionFactory()
    call_command("invite_agent", "ars@ars.example", role="ars", region=["76"])
    assert Invitation.objects.get(role="ars").regions.get().pk == "76"


@pytest.mark.parametrize(
    ("email", "options", "said"),
    [
        ("sans-arobase", {}, "adresse e-mail"),
        ("a@b.fr", {"role": "ars"}, "régions"),
        ("a@b.fr", {"role": "ans", "region": ["76"]}, "inconnues"),
        (EMAIL, {}, "déjà une invitation"),
    ],
)
def test_what_the_command_refuses_it_says(email, options, said):
    invite("ans")
    with pytest.raises(CommandError, match=said):
        call_command("invite_agent", email, **options)
