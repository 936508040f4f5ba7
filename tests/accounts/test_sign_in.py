"""User name or e-mail, password, then the mailed code."""

import re

import pytest
from django.contrib.auth import SESSION_KEY
from django.test import Client
from django_otp import DEVICE_ID_SESSION_KEY

from accounts.models import SignInCode
from ecare.letters.models import Letter
from tests.accounts.steps import give_code, give_password, secret_of
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def user():
    return UserFactory(username="jean.sante", email="jean.sante@exemple.fr")


@pytest.mark.parametrize(
    "login", ["jean.sante", "Jean.Sante", " jean.sante ", "jean.sante@exemple.fr", "JEAN.Sante@Exemple.fr"]
)
def test_a_name_or_an_email_opens_the_page_of_the_code(client, user, login):
    response = give_password(client, user, login=login)
    assert (response.status_code, response["Location"]) == (302, "/connexion/code/")
    assert SESSION_KEY not in client.session
    page = client.get("/connexion/code/").content.decode()
    assert f'value="{login.strip()}"' in page
    assert user.email not in page.replace(login.strip(), "")


def test_the_code_opens_the_dashboard(client, user):
    give_password(client, user)
    response = give_code(client, secret_of("code"))
    assert response["Location"] == "/tableau-de-bord/"
    assert client.session[SESSION_KEY] == str(user.pk)
    assert client.session[DEVICE_ID_SESSION_KEY] == SignInCode.objects.get().persistent_id
    assert client.get("/compte/").status_code == 200


@pytest.mark.parametrize(
    ("trait", "home"),
    [({}, "/tableau-de-bord/"), ({"ars": True}, "/verification/"), ({"ans": True}, "/verification/"),
     ({"administrator": True}, "/administration/")],
)  # fmt: skip
def test_each_role_comes_home(client, trait, home):
    give_password(client, UserFactory(**trait))
    assert give_code(client, secret_of("code"))["Location"] == home


def test_one_goes_on_to_where_one_was_going(client, user):
    response = client.get("/compte/")
    assert response["Location"] == "/connexion/?next=/compte/"
    give_password(client, user, next="/compte/")
    assert give_code(client, secret_of("code"))["Location"] == "/compte/"


def test_nobody_is_sent_to_another_site(client, user):
    give_password(client, user, next="https://arnaque.example/")
    assert give_code(client, secret_of("code"))["Location"] == "/tableau-de-bord/"


def test_the_session_changes_its_name_at_each_step(client, user):
    client.get("/inscription/")
    client.post("/inscription/", {})
    names = [client.session.session_key]
    give_password(client, user)
    names.append(client.session.session_key)
    give_code(client, secret_of("code"))
    names.append(client.session.session_key)
    assert len(set(names)) == 3
    intruder = Client()
    intruder.cookies["sessionid"] = names[1]
    assert intruder.get("/compte/").status_code == 302


def test_signing_out_ends_the_session(client, user, signed_in):
    client = signed_in(user)
    former = client.session.session_key
    assert client.get("/deconnexion/").status_code == 200
    assert client.post("/deconnexion/")["Location"] == "/"
    client.cookies["sessionid"] = former
    assert client.get("/compte/").status_code == 302


def test_a_deactivated_account_is_told_so_after_the_right_password(client, user):
    user.is_active = False
    user.save()
    assert give_password(client, user)["Location"] == "/connexion/compte-desactive/"
    assert "désactivé" in client.get("/connexion/compte-desactive/").content.decode()
    assert not Letter.objects.filter(name="code").exists()


def test_the_page_of_the_code_is_closed_to_others(client):
    assert client.get("/connexion/code/")["Location"] == "/connexion/"


# --- what a stranger learns ---------------------------------------------------------------------------------
def test_a_wrong_password_and_an_unknown_person_look_the_same(user):
    answers = []
    for login in ("jean.sante", "inconnu.total", "jean.sante@exemple.fr", "inconnu@exemple.fr"):
        response = Client().post("/connexion/", {"login": login, "password": "Faux-Mot-De-Passe"})
        page = response.content.decode().replace(str(response.context["csrf_token"]), "").replace(login, "")
        answers.append((response.status_code, page))
    assert answers[0] == answers[1] == answers[2] == answers[3]
    assert "Identifiant ou mot de passe incorrect" in answers[0][1]


def test_an_unknown_person_costs_a_password_hash_too(django_assert_num_queries, user, monkeypatch):
    """The same work: one hash, whoever is named."""
    counted = []
    hash_password = type(user).set_password
    monkeypatch.setattr(type(user), "set_password", lambda self, raw: counted.append(1) or hash_password(self, raw))
    give_password(Client(), user, login="inconnu", password="Faux-Mot-De-Passe")
    assert counted == [1]


# --- limits -------------------------------------------------------------------------------------------------
def test_wrong_passwords_are_limited_and_variants_count_together(client, user):
    for login in ("jean.sante", "JEAN.SANTE", " jean.sante", "jean.sante ", "Jean.Sante"):
        assert "incorrect" in give_password(client, user, login=login, password="faux").content.decode()
    for login in ("jean.sante", "jean.ſante", "jean.sante\t"):
        assert "Trop d’essais" in give_password(client, user, login=login).content.decode()


@pytest.mark.parametrize("name", ["jean.sante", "inconnu"])
def test_the_limit_does_not_tell_that_a_name_and_an_email_belong_together(client, user, name):
    for login in [name] * 5 + [f"{name}@exemple.fr"] * 5:
        assert "incorrect" in give_password(client, user, login=login, password="faux").content.decode()
    for login in (name, f"{name}@exemple.fr"):
        assert "Trop d’essais" in give_password(client, user, login=login, password="faux").content.decode()


def test_a_stranger_elsewhere_does_not_lock_the_owner_out(client, user):
    stranger = Client(REMOTE_ADDR="203.0.113.9")
    for _ in range(30):
        give_password(stranger, user, password="faux")
    assert give_password(client, user)["Location"] == "/connexion/code/"


def test_the_attack_on_one_account_does_not_block_another(client, user):
    for _ in range(150):
        give_password(client, user, password="faux")
    assert give_password(client, UserFactory())["Location"] == "/connexion/code/"


def test_successes_do_not_wipe_the_failures(client, user):
    for _ in range(4):
        give_password(Client(), user, password="faux")
    assert give_password(Client(), user).status_code == 302
    give_password(Client(), user, password="faux")
    assert "Trop d’essais" in give_password(Client(), user).content.decode()


def test_the_address_behind_a_proxy_counts_only_if_the_proxy_is_known(client, user, settings):
    for rank in range(5):
        give_password(Client(headers={"x-forwarded-for": f"198.51.100.{rank}"}), user, password="faux")
    assert "Trop d’essais" in give_password(client, user).content.decode()
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    assert give_password(Client(headers={"x-forwarded-for": "198.51.100.9"}), user).status_code == 302


def test_only_the_wanted_pages_of_allauth_exist(client):
    for path in ("/accounts/login/", "/accounts/email/", "/connexion/reauthenticate/", "/compte/email/"):
        assert client.get(path).status_code in (302, 404)
    assert client.get("/inscription/nouvelle/")["Location"] == "/inscription/"


@pytest.mark.parametrize(
    ("door", "heading"),
    [("etablissement", "Vous êtes un établissement de santé"), ("agence", "Vous êtes une ARS ou un GRADeS")],
)
def test_the_sign_in_says_which_door_one_comes_through(client, door, heading):
    assert f"?profil={door}" in client.get("/").text
    assert f"{heading}</h2>" in client.get("/connexion/", {"profil": door}).text
    assert f"{heading}</h2>" not in client.get("/connexion/", {"profil": "autre"}).text


def test_an_agent_who_has_no_account_is_not_led_to_the_registration_of_establishments(client):
    assert 'href="/inscription/agents/">Pas encore inscrit' in client.get("/connexion/?profil=agence").text
    assert 'href="/inscription/">Pas encore inscrit' in client.get("/connexion/").text


def test_the_demo_says_who_can_sign_in(client, settings):
    assert all(
        f"<code>{word}</code>" in client.get("/").text for word in ("chu.montpellier", "Demonstration-CaRE-2026")
    )
    settings.EMBEDDED = False
    assert "chu.montpellier" not in client.get("/").text


def test_the_code_page_says_it_of_the_account(client):
    for trait, heading in (
        ({}, "Vous êtes un établissement de santé"),
        ({"ars": True}, "Vous êtes une ARS ou un GRADeS"),
        ({"ans": True}, ""),
    ):
        client.logout()
        give_password(client, UserFactory(**trait))
        assert re.findall(r'<h2 class="fr-h4">(Vous êtes .*)</h2>', client.get("/connexion/code/").text) == [
            heading
        ] * bool(heading)


def test_a_refusal_stands_at_the_field_and_says_what_to_do(client):
    page = client.post("/connexion/", {"login": "inconnu", "password": "Faux-Mot-De-Passe"})
    [said] = page.context["form"].errors["password"]
    assert "choisissez un nouveau mot de passe" in said and "lien d’activation" in said
    assert 'href="#id_password"' in page.text and 'id="id_password_error"' in page.text
