"""Who must have a second factor reaches nothing before: walked over every address of the portal."""

import pytest
from django.test import Client
from django.urls import NoReverseMatch, get_resolver, reverse

from accounts.models import Terms, TermsAcceptance
from tests.accounts.steps import enrolled, give_code, give_password, secret_of, shown
from tests.accounts.test_second_factor import CODES, ENROL, HOME, IMAGE, REMOVE, key_on
from tests.applications.pages import text_of
from tests.factories import PASSWORD, UserFactory
from tests.test_access_matrix import names
from tests.test_house import PUBLIC

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def production(settings):
    settings.SECOND_FACTOR_REQUIRED_FOR = frozenset(["ans", "administrator"])


@pytest.fixture(params=["ans", "administrator"])
def user(request):
    return UserFactory(**{request.param: True})


OPEN = {"accounts:enrol", "accounts:qr_code", "accounts:accept_terms"}
IN_ADMINISTRATION = """admin:index admin:accounts_user_changelist admin:accounts_invitation_add
    admin:letters_letter_changelist""".split()


def closed_pages():
    """Every private address that takes no argument, but those left open on purpose."""
    return [name for name in names(get_resolver().url_patterns) - PUBLIC - OPEN if _takes_no_argument(name)]


def _takes_no_argument(name):
    try:
        return bool(reverse(name))
    except NoReverseMatch:
        return False


@pytest.mark.parametrize("method", ["get", "post"])
def test_every_page_leads_to_the_enrolment(signed_in, user, method):
    client, walked = signed_in(user), closed_pages() + IN_ADMINISTRATION
    assert {"accounts:account", "accounts:recovery_codes", "reviews:queue", "evidence:containers"} <= set(walked)
    for name in walked:
        answer = getattr(client, method)(reverse(name), {"daily": "oui"})
        assert (answer.status_code, answer["Location"]) == (302, ENROL), name
    user.refresh_from_db()
    assert not user.wants_daily_letter


def test_so_does_every_address_with_an_argument(signed_in, user):
    client = signed_in(user)
    for address in ("/verification/ABCDEFGHJK/", "/fichiers/1/", "/administration/accounts/user/1/change/"):
        answer = client.get(address)
        assert answer.status_code in (302, 404) and answer.get("Location", ENROL) == ENROL, address


def test_a_script_reads_why(signed_in, user):
    answer = signed_in(user).get("/verification/", headers={"Accept": "application/json"})
    assert answer.status_code == 403 and "double authentification" in answer.json()["message"]


def test_public_pages_and_signing_out_stay_open(signed_in, user):
    client = signed_in(user)
    for address in ("/", "/aide/", "/mentions-legales/"):
        assert client.get(address).status_code == 200
    assert client.post("/deconnexion/").status_code == 302
    assert client.get("/compte/")["Location"].startswith("/connexion/")


def test_the_whole_way_from_the_sign_in(user):
    client = Client()
    Terms.objects.create(version="1.0", text="Les conditions.", published_at="2024-01-01T00:00Z")
    give_password(client, user)
    home = give_code(client, secret_of("code"))["Location"]
    assert client.get(home)["Location"].startswith("/cgu/accepter/"), "the terms come first"
    TermsAcceptance.objects.create(user=user, terms=Terms.objects.get())
    assert client.get(home)["Location"] == ENROL
    page = client.get(ENROL)
    assert "Votre rôle exige la double authentification" in text_of(page)
    assert client.get(IMAGE).status_code == 200
    assert client.post(ENROL, {"code": shown(key_on(page))})["Location"] == CODES
    assert client.get(CODES).status_code == 200
    assert client.get(home).status_code == 200


def test_the_terms_do_not_send_round_in_circles(signed_in, user):
    client = signed_in(user)
    Terms.objects.create(version="1.0", text="Les conditions.", published_at="2024-01-01T00:00Z")
    assert client.get("/cgu/accepter/").status_code == 200
    client.post("/cgu/accepter/", {"version": "1.0", "is_accepted": "on"})
    assert client.get("/compte/")["Location"] == ENROL


def test_whoever_gives_it_up_is_led_to_another(signed_in, user):
    _, codes = enrolled(user)
    client = signed_in(user)
    assert "Changer d’application" in text_of(client.get(HOME))
    client.post(REMOVE, {"password": PASSWORD, "code": codes[0]})
    assert client.get("/compte/")["Location"] == ENROL


@pytest.mark.parametrize("trait", ["ars", None])
def test_the_others_are_free(signed_in, trait):
    user = UserFactory(**({trait: True} if trait else {}))
    assert signed_in(user).get("/compte/").status_code == 200


def test_an_ars_may_be_obliged_too(signed_in, settings):
    settings.SECOND_FACTOR_REQUIRED_FOR = frozenset(["ars"])
    assert signed_in(UserFactory(ars=True)).get("/verification/")["Location"] == ENROL
    assert signed_in(UserFactory(ans=True)).get("/verification/").status_code == 200
