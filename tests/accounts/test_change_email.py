"""Another e-mail: asked for with the password, confirmed from both mailboxes, never telling who has an account."""

import re
from datetime import timedelta

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts import actions
from accounts.models import EmailChange, SignInCode, User
from ecare.journal.models import Entry
from ecare.letters.models import Letter
from tests.accounts.steps import NEW_PASSWORD, give_code, give_password, secret_of
from tests.applications.pages import text_of
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db

NEW = "nouvelle.adresse@exemple.fr"


@pytest.fixture
def user():
    return UserFactory()


@pytest.fixture
def client(user, signed_in):
    return signed_in(user)


def ask(client, email=NEW, password=PASSWORD):
    return client.post("/compte/adresse/", {"email": email, "password": password}, follow=True)


def link_of(name):
    return f"/compte/adresse/confirmer/{secret_of(name)}/"


def confirm(name, client=None):
    return (client or Client()).post(link_of(name))


@pytest.mark.parametrize("order", [("requested", "to_confirm"), ("to_confirm", "requested")])
def test_the_email_changes_once_both_mailboxes_said_yes(user, client, order):
    former = user.email
    assert "Deux courriers viennent de partir" in text_of(ask(client, NEW.upper()))
    links = [link_of(f"email_change_{name}") for name in order]
    assert "Il reste à confirmer depuis l’autre adresse" in text_of(Client().post(links[0]))
    user.refresh_from_db()
    assert user.email == former
    assert "confirmée" in text_of(client.get("/compte/"))
    assert "Adresse e-mail changée" in text_of(Client().post(links[1]))
    user.refresh_from_db()
    assert user.email == NEW
    address = EmailAddress.objects.get(user=user)
    assert (address.email, address.verified, address.primary) == (NEW, True, True)
    assert set(Letter.objects.filter(name="email_changed").values_list("recipient", flat=True)) == {former, NEW}
    assert Entry.objects.get(subject=f"user:{user.pk}", verb="change_email").data == {"from": former, "to": NEW}
    assert not EmailChange.objects.exists()


def test_one_signs_in_with_the_new_one_and_not_with_the_former(user, client):
    former = user.email
    ask(client)
    confirm("email_change_requested")
    confirm("email_change_to_confirm")
    assert "incorrect" in give_password(Client(), user, login=former).text
    other = Client()
    give_password(other, user, login=NEW)
    assert give_code(other, secret_of("code", to=NEW)).status_code == 302


def test_every_session_ends_but_the_one_that_confirms(user, client, signed_in):
    elsewhere = signed_in(user)
    half = Client()
    give_password(half, user)
    ask(client)
    confirm("email_change_requested")
    confirm("email_change_to_confirm", client)
    assert client.get("/compte/").status_code == 200
    assert elsewhere.get("/compte/").status_code == 302
    assert not SignInCode.objects.filter(user=user, confirmed=False).exists()
    assert half.get("/connexion/code/").status_code == 302


def test_opening_a_link_confirms_nothing(user, client):
    ask(client)
    for name in ("email_change_requested", "email_change_to_confirm"):
        page = Client().get(link_of(name))
        assert NEW in text_of(page) and user.username not in text_of(page)
        assert "no-store" in page["Cache-Control"]
    change = EmailChange.objects.get()
    assert change.old_confirmed_at is None and change.new_confirmed_at is None


def test_a_taken_email_looks_like_a_free_one_and_its_owner_is_told(client):
    owner = UserFactory(email="prise@exemple.fr")
    pages = []
    for email in ("prise@exemple.fr", "libre@exemple.fr"):
        page = ask(client, email)
        text = re.sub(r'(name="csrfmiddlewaretoken" value="|avant le )[^"<]*', "", page.content.decode())
        pages.append((page.status_code, page.redirect_chain, text.replace(email, "")))
    assert pages[0] == pages[1]
    assert Letter.objects.filter(recipient=owner.email).get().name == "email_change_attempted"
    assert Letter.objects.filter(name="email_change_requested").count() == 2


def test_the_old_mailbox_alone_changes_nothing(user, client):
    UserFactory(email=NEW)
    ask(client)
    assert "Il reste à confirmer depuis l’autre adresse" in text_of(confirm("email_change_requested"))
    user.refresh_from_db()
    assert user.email != NEW


def test_an_email_taken_meanwhile_is_refused_to_the_end(user, client):
    ask(client)
    confirm("email_change_requested")
    link = link_of("email_change_to_confirm")
    UserFactory(email=NEW)
    assert Client().post(link).status_code == 410
    user.refresh_from_db()
    assert user.email != NEW


def test_an_account_never_activated_gives_way(user, client):
    UserFactory(email=NEW, verified=False)
    ask(client)
    confirm("email_change_requested")
    confirm("email_change_to_confirm")
    assert User.objects.get(email=NEW) == user


def test_a_link_serves_for_a_day_and_until_another_is_asked(user, client):
    ask(client)
    first = link_of("email_change_requested")
    ask(client, "autre@exemple.fr")
    assert Client().post(first).status_code == 410
    second = link_of("email_change_requested")
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        assert "Ce lien n’est plus valable" in text_of(Client().get(second))
    assert Client().get("/compte/adresse/confirmer/abc:def/").status_code == 410


def test_it_may_be_given_up_and_a_new_password_gives_it_up(user, client):
    ask(client)
    link = link_of("email_change_requested")
    page = client.post("/compte/adresse/annuler/", follow=True)
    assert "Le changement d’adresse est annulé." in text_of(page)
    assert Client().post(link).status_code == 410
    assert Letter.objects.filter(name="email_change_requested").get().state == Letter.State.CANCELLED
    ask(client)
    actions.change_password(user, NEW_PASSWORD)
    assert not EmailChange.objects.exists()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (
            {"password": "faux"},
            "Ce n’est pas votre mot de passe actuel. Tapez-le à nouveau",
        ),
        ({"email": "pas une adresse"}, "Écrivez une adresse e-mail sous la forme nom@exemple.fr."),
        ({"email": ""}, "Renseignez ce champ."),
    ],
)
def test_what_is_wrong_is_said(user, client, data, said):
    page = client.post("/compte/adresse/", {"email": NEW, "password": PASSWORD} | data)
    assert said in text_of(page)
    assert not Letter.objects.exists()


def test_the_present_email_is_no_change(user, client):
    assert "C’est déjà l’adresse de votre compte" in text_of(ask(client, user.email.upper()))


def test_a_mailbox_cannot_be_flooded(client):
    for _ in range(5):
        ask(client)
        cache.clear()
    assert Letter.objects.filter(name="email_change_to_confirm").count() == 3


def test_a_password_cannot_be_guessed_here(client):
    assert [ask(client, password="faux").status_code for _ in range(11)][-1] == 429
