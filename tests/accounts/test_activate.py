"""The link that activates an account, and how to get another."""

import pytest
from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from accounts.models import User
from ecare.letters.models import Letter
from tests.accounts.steps import NEW_PASSWORD, give_password, register, secret_of
from tests.factories import EstablishmentFactory, UserFactory

pytestmark = pytest.mark.django_db
RESEND = "/activation/renvoyer/"


@pytest.fixture
def establishment():
    return EstablishmentFactory()


@pytest.fixture
def newcomer(establishment):
    register(Client(), establishment)
    return User.objects.get(username="jean.sante")


@pytest.fixture
def link(newcomer):
    return f"/activation/{secret_of('activation')}/"


def _is_active(user):
    return EmailAddress.objects.get(user=user).verified


def test_opening_the_link_activates_nothing(client, newcomer, link):
    page = client.get(link).content.decode()
    assert "Activer mon compte" in page and "jean.sante" in page
    assert not _is_active(newcomer)


def test_the_button_activates_and_leads_to_the_sign_in(client, newcomer, link):
    response = client.post(link, follow=True)
    assert response.redirect_chain == [("/connexion/", 302)]
    assert "Votre compte est activé." in response.content.decode()
    assert _is_active(newcomer)
    assert give_password(client, newcomer, password=NEW_PASSWORD)["Location"] == "/connexion/code/"


def test_nobody_signs_in_before_the_activation(client, newcomer):
    page = give_password(client, newcomer, password=NEW_PASSWORD).content.decode()
    assert "ou compte pas encore activé" in page
    assert not Letter.objects.filter(name="code").exists()


def test_a_used_link_is_explained(client, newcomer, link):
    client.post(link)
    for response in (client.get(link), client.post(link)):
        page = response.content.decode()
        assert "a expiré, a déjà servi" in page and "Renvoyer un lien" in page
        assert "jean.sante" not in page


def test_an_expired_link_is_explained(client, establishment, time_machine):
    time_machine.move_to("2026-03-02 10:00Z")
    register(Client(), establishment)
    link = f"/activation/{secret_of('activation')}/"
    time_machine.move_to("2026-03-05 10:01Z")
    assert "Ce lien n’est plus valable" in client.get(link).content.decode()
    assert client.post(link).status_code == 410
    assert not EmailAddress.objects.get().verified


@pytest.mark.parametrize("key", ["faux", "MQ:1abc:faux"])
def test_a_made_up_link_is_explained(client, key):
    assert "Ce lien n’est plus valable" in client.get(f"/activation/{key}/").content.decode()


def test_the_letter_carries_a_link_that_works_and_keeps_no_secret(newcomer):
    letter = Letter.objects.get(name="activation")
    key = secret_of("activation")
    assert key not in letter.text + letter.html
    assert f"/activation/{'⟦secret⟧'}/" in letter.text and "3 jours" in letter.text.replace("\u00a0", " ")


def test_colleagues_are_told_once_the_account_is_activated(client, establishment):
    colleague = UserFactory(establishment=establishment)
    UserFactory()  # of another establishment
    UserFactory(establishment=establishment, verified=False)
    register(Client(), establishment)
    assert not Letter.objects.filter(name="colleague_registered").exists()
    client.post(f"/activation/{secret_of('activation')}/")
    letter = Letter.objects.get(name="colleague_registered")
    assert letter.recipient == colleague.email and "Jean Santé" in letter.text


# --- another link -------------------------------------------------------------------------------------------
def test_another_link_can_be_asked(client, newcomer):
    assert client.post(RESEND, {"email": "Jean.Sante@exemple.fr"})["Location"] == reverse("accounts:activation_resent")
    assert Letter.objects.filter(name="activation", recipient=newcomer.email).count() == 2
    assert client.post(f"/activation/{secret_of('activation')}/").status_code == 302
    assert _is_active(newcomer)


def test_asking_for_a_link_tells_nothing_of_who_exists(newcomer):
    known = UserFactory()
    answers = []
    for email in (newcomer.email, known.email, "inconnue@exemple.fr"):
        response = Client().post(RESEND, {"email": email}, follow=True)
        answers.append((response.status_code, response.redirect_chain, _words(response)))
    assert answers[0] == answers[1] == answers[2]
    names = Letter.objects.filter(name__in=["activation", "registration_attempted", "account_not_found"])
    assert sorted(names.values_list("name", "recipient")) == [
        ("account_not_found", "inconnue@exemple.fr"),
        ("activation", newcomer.email),
        ("activation", newcomer.email),
        ("registration_attempted", known.email),
    ]


def test_a_mailbox_cannot_be_flooded(client):
    for _ in range(6):
        client.post(RESEND, {"email": "victime@exemple.fr"})
        cache.clear()
    assert Letter.objects.filter(recipient="victime@exemple.fr").count() == 3


def test_one_address_cannot_ask_without_end(client):
    statuses = [client.post(RESEND, {"email": f"p{rank}@exemple.fr"}).status_code for rank in range(11)]
    assert statuses == [302] * 10 + [429]


def test_a_wrong_address_has_its_message(client):
    assert "nom@exemple.fr" in client.post(RESEND, {"email": "rien"}).context["form"]["email"].errors[0]


def _words(response) -> str:
    return response.content.decode().replace(str(response.context["csrf_token"]), "")
