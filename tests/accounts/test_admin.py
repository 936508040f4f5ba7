"""The administration stands behind the one sign-in."""

import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from accounts.models import Terms
from tests.accounts.steps import give_code, give_password, secret_of
from tests.factories import EstablishmentFactory, LegalEntityFactory, RegionFactory, UserFactory

pytestmark = pytest.mark.django_db
ADD = "/administration/accounts/user/add/"


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


@pytest.fixture
def agent():
    return UserFactory(ars=True, username="agent.ars", email="agent@ars.example", regions=[RegionFactory()])


def change(admin, person, **changes):
    data = {
        "username": person.username,
        "civility": "madame",
        "first_name": "Ada",
        "last_name": "Martin",
        "email": person.email,
        "phone": "",
        "role": person.role,
        "establishment": person.establishment_id or "",
        "regions": [region.pk for region in person.regions.all()],
        "is_active": "on",
    }
    data = {name: value for name, value in (data | changes).items() if value is not None}
    return admin.post(f"/administration/accounts/user/{person.pk}/change/", data)


def test_nobody_is_added_by_hand(admin):
    assert admin.get(ADD).status_code == 403
    assert admin.post(ADD, {"username": "a.b"}).status_code == 403
    assert "/administration/accounts/user/add/" not in admin.get("/administration/accounts/user/").text


def test_an_administrator_edits_an_agent(admin, agent):
    assert (
        change(admin, agent, email="Autre@ars.example", email_reason="Sa boîte a fermé.", first_name="Éva").status_code
        == 302
    )
    agent.refresh_from_db()
    assert (agent.email, agent.first_name, agent.is_staff) == ("autre@ars.example", "Éva", False)
    assert EmailAddress.objects.get(user=agent).email == "autre@ars.example"


def test_another_administrator_is_staff_but_no_superuser(admin, agent):
    change(admin, agent, role="administrator", regions=[])
    agent.refresh_from_db()
    assert agent.role == "administrator" and agent.is_staff and not agent.is_superuser


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"role": "referent", "regions": []}, "establishment"),
        ({"role": "ars", "regions": []}, "regions"),
        ({"role": "ans"}, "regions"),
        ({"username": "a@b"}, "username"),
    ],
)
def test_a_role_needs_what_it_needs(admin, agent, changes, field):
    response = change(admin, agent, **changes)
    assert field in response.context["adminform"].form.errors


def test_an_agent_has_no_establishment(admin, agent):
    response = change(admin, agent, establishment=EstablishmentFactory().pk)
    assert "establishment" in response.context["adminform"].form.errors


def test_a_referent_becomes_an_agent_and_an_agent_a_referent(admin, agent):
    referent, establishment = UserFactory(), EstablishmentFactory()
    change(admin, referent, role="ans", establishment="")
    change(admin, agent, role="referent", regions=[], establishment=establishment.pk)
    for person in (referent, agent):
        person.refresh_from_db()
    assert (referent.role, referent.establishment) == ("ans", None)
    assert (agent.role, agent.establishment, list(agent.regions.all())) == ("referent", establishment, [])


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
