"""The administration stands behind the one sign-in."""

import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from accounts.models import Terms, User
from tests.accounts.steps import give_code, give_password, secret_of
from tests.factories import EstablishmentFactory, LegalEntityFactory, RegionFactory, UserFactory

pytestmark = pytest.mark.django_db
ADD = "/administration/accounts/user/add/"


@pytest.fixture
def administrator():
    return UserFactory(administrator=True)


@pytest.fixture
def admin(administrator, signed_in):
    return signed_in(administrator)


def test_a_stranger_is_sent_to_the_one_sign_in(client):
    page = client.get("/administration/accounts/user/", follow=True)
    assert page.redirect_chain[-1][0] == "/connexion/?next=/administration/accounts/user/"


def test_an_administrator_comes_through_the_code(client, administrator):
    give_password(client, administrator, next="/administration/accounts/user/")
    assert client.get("/administration/").status_code == 302
    assert give_code(client, secret_of("code"))["Location"] == "/administration/accounts/user/"
    assert client.get("/administration/accounts/user/").status_code == 200


def test_a_staff_session_without_the_code_is_refused(administrator):
    client = Client()
    client.force_login(administrator, backend="accounts.backends.ActivatedBackend")
    assert client.get("/administration/").status_code == 302


@pytest.mark.parametrize("trait", [{}, {"ars": True}, {"ans": True}])
def test_nobody_else_enters(signed_in, trait):
    client = signed_in(UserFactory(**trait))
    assert client.get("/administration/", follow=True).status_code == 403


def test_the_administration_has_no_sign_in_or_password_form(admin, client):
    assert client.get("/administration/login/")["Location"] == "/connexion/?next=/administration/"
    assert admin.get("/administration/login/")["Location"] == "/administration/"
    assert admin.get("/administration/login/?next=//arnaque.example/")["Location"] == "/administration/"
    assert admin.get("/administration/password_change/")["Location"] == "/compte/mot-de-passe/"


def test_an_administrator_sees_our_rooms_and_nothing_of_the_machinery(admin):
    page = admin.get("/administration/").content.decode()
    assert "Personnes" in page
    for label in ("auth", "account", "otp_totp", "captcha", "sessions"):
        assert f"/administration/{label}/" not in page
    assert admin.get("/administration/auth/group/").status_code in (403, 404)
    assert admin.get("/administration/account/emailaddress/").status_code in (403, 404)


def test_no_password_hash_is_shown(admin):
    user = UserFactory()
    page = admin.get(f"/administration/accounts/user/{user.pk}/change/").content.decode()
    assert user.password not in page and "is_superuser" not in page and "user_permissions" not in page


def _agent(**changes):
    return {
        "username": "agent.ars",
        "civility": "madame",
        "first_name": "Ada",
        "last_name": "Martin",
        "email": "Agent@ars.example",
        "phone": "",
        "role": "ars",
        "establishment": "",
        "regions": [RegionFactory().pk],
        "is_active": "on",
    } | changes


def test_an_administrator_makes_an_agent_who_chooses_their_own_password(admin, client):
    assert admin.post(ADD, _agent()).status_code == 302
    agent = User.objects.get(username="agent.ars")
    assert (agent.email, agent.is_staff, agent.has_usable_password()) == ("agent@ars.example", False, False)
    assert EmailAddress.objects.get(user=agent).verified
    client.post("/mot-de-passe/", {"email": agent.email})
    form = client.get(f"/mot-de-passe/nouveau/{secret_of('password_reset')}/", follow=True).redirect_chain[-1][0]
    client.post(form, {"password1": "Montagne-Bleue-77", "password2": "Montagne-Bleue-77"})
    give_password(client, agent, password="Montagne-Bleue-77")
    assert give_code(client, secret_of("code"))["Location"] == "/verification/"


def test_another_administrator_is_staff_but_no_superuser(admin):
    admin.post(ADD, _agent(role="administrator", regions=[]))
    made = User.objects.get(username="agent.ars")
    assert made.is_staff and not made.is_superuser


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"role": "referent", "regions": []}, "establishment"),
        ({"role": "ars", "regions": []}, "regions"),
        ({"role": "ans"}, "regions"),
        ({"username": "a@b"}, "username"),
    ],
)
def test_a_role_needs_what_it_needs(admin, changes, field):
    response = admin.post(ADD, _agent(**changes))
    assert field in response.context["adminform"].form.errors


def test_an_agent_has_no_establishment(admin):
    response = admin.post(ADD, _agent(establishment=EstablishmentFactory().pk))
    assert "establishment" in response.context["adminform"].form.errors


def test_nobody_is_deleted_and_published_terms_are_frozen(admin, administrator):
    assert admin.post(f"/administration/accounts/user/{administrator.pk}/delete/").status_code == 403
    terms = Terms.objects.create(version="1.0", text="Un texte.", published_at="2024-03-18T00:00:00Z")
    admin.post(f"/administration/accounts/terms/{terms.pk}/change/", {"version": "1.0", "text": "Autre."}, follow=True)
    terms.refresh_from_db()
    assert terms.text == "Un texte."


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_of_people_costs_the_same_however_long(admin, django_assert_num_queries, count):
    UserFactory.create_batch(count)
    with django_assert_num_queries(10):
        admin.get("/administration/accounts/user/")


@pytest.mark.parametrize("words", ["éloi", "Saint-Eloi", "camille elOI", "camille.martin", "martin@exemple.fr"])
def test_a_person_is_found_by_name_or_establishment_accents_forgiven(admin, words):
    entity = LegalEntityFactory(name="HOPITAL SAINT ELOI")
    establishment = EstablishmentFactory(legal_entity=entity)
    found = UserFactory(username="camille.martin", email="martin@exemple.fr", establishment=establishment)
    UserFactory(first_name="Andrea")
    page = admin.get("/administration/accounts/user/", {"q": words})
    assert list(page.context["cl"].queryset) == [found]
