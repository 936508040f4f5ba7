"""Every answer, whatever its address and status, tells the browser to be careful."""

import pytest
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from django.test import Client
from django.urls import reverse

from tests import addresses, admin_addresses
from tests import test_access_matrix as matrix
from tests.accounts.steps import give_code, give_password, secret_of
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
world, clients = matrix.world, matrix.clients

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
# A download runs nothing; a mail of the demo's mailbox styles itself, and stands in a frame of its own page.
MAIL = {
    "default-src": "'none'",
    "style-src": "'unsafe-inline'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'self'",
    "sandbox": "allow-top-navigation-by-user-activation",
}
FILE = {"sandbox": "", "default-src": "'none'", "frame-ancestors": "'none'"}
OWN_POLICY = {
    "evidence:rib": FILE,
    "evidence:download": FILE,
    "evidence:download_container": FILE,
    "evidence:preview": FILE | {"frame-ancestors": "'self'"},
    "reviews:convention": FILE,
    "conventions:copy": FILE,
    "exports:download": FILE,
    "reviews:pieces": POLICY | {"frame-src": "'self'"},
    "letters:html": MAIL,
    "admin:letters_lettertext_html": MAIL,
    "admin:letters_lettertext_preview": POLICY | {"frame-src": "'self'"},
    "letters:letter": POLICY | {"frame-src": "'self'"},
}


def policy_of(response) -> dict[str, str]:
    directives = (part.strip().partition(" ") for part in response["Content-Security-Policy"].split(";"))
    return {name: value for name, _, value in directives}


def assert_careful(response, *, policy=POLICY):
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"
    assert policy_of(response) in (policy, POLICY)
    if "frame-ancestors" not in policy_of(response):
        assert response["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("method", ["get", "post", "options"])
@pytest.mark.parametrize("role", addresses.ROLES)
def test_every_address_answers_with_care(world, clients, role, method):
    """What a signed-in person gets is stored nowhere."""
    seen = set()
    for row in addresses.GET:
        name = row.partition(" ")[0]
        if name == "account_logout":
            continue
        response = getattr(clients[role], method)(matrix.address(row, world))
        response.getvalue()
        seen.add(response.status_code)
        assert_careful(response, policy=OWN_POLICY.get(name, POLICY))
        if role not in ("anonymous", "password_only"):
            assert {"no-store", "private"} <= set(response["Cache-Control"].split(", ")), row
    assert seen


@pytest.mark.parametrize("page", sorted(admin_addresses.ADMIN_PAGES))
def test_the_administration_answers_with_care(world, clients, page):
    if page in ("admin:view_on_site", "admin:app_list") or "totp" in page:
        return
    response = clients["administrator"].get(matrix.admin_page(page))
    assert_careful(response, policy=OWN_POLICY.get(page, POLICY))
    assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize(
    ("address", "status"),
    [("/nulle-part/", 404), ("/static/nulle-part.css", 404), ("/static/ecare/reviews.css", 200), ("/connexion", 301),
     ("/administration/nulle-part/", 302)],
)  # fmt: skip
def test_a_stranger_s_errors_too(client, address, status):
    response = client.get(address)
    response.getvalue()
    assert response.status_code == status
    assert_careful(response)


def test_a_refused_host(client):
    response = client.get("/", headers={"host": "arnaque.example"})
    assert response.status_code == 400
    assert_careful(response)


def test_a_refused_token(signed_in):
    strict = Client(enforce_csrf_checks=True)
    response = strict.post("/connexion/", {"login": "x"})
    assert response.status_code == 403
    assert_careful(response)


def test_a_fault_of_ours(signed_in, monkeypatch):
    client = signed_in(UserFactory())
    client.raise_request_exception = False
    monkeypatch.setattr("accounts.views.account.facts.of_person", lambda _person: 1 / 0)
    response = client.get("/compte/")
    assert response.status_code == 500
    assert_careful(response)
    assert "no-store" in response["Cache-Control"]


def test_too_many_requests(client):
    for _ in range(100):
        response = client.post("/activation/renvoyer/", {"email": "x@exemple.fr"})
        if response.status_code == 429:
            break
    assert response.status_code == 429
    assert_careful(response)


def test_pages_that_a_letter_leads_to_are_stored_nowhere(client):
    """They show whose account it is, without a sign-in."""
    waiting = UserFactory(verified=False)
    key = EmailConfirmationHMAC(EmailAddress.objects.get(user=waiting)).key
    response = client.get(reverse("account_confirm_email", args=[key]))
    assert waiting.username in response.content.decode()
    assert "no-store" in response["Cache-Control"]
    client.post("/mot-de-passe/", {"email": UserFactory().email})
    uid, _, token = secret_of("password_reset").partition("-")
    response = client.get(reverse("account_reset_password_from_key", args=[uid, token]))
    assert response.status_code == 302
    assert "no-store" in response["Cache-Control"]
    assert "no-store" in client.get(response["Location"])["Cache-Control"]


def test_cookies_keep_to_themselves(client):
    user = UserFactory()
    client.get("/connexion/")
    give_password(client, user)
    give_code(client, secret_of("code"))
    assert set(client.cookies) == {"sessionid", "csrftoken"}
    for cookie in client.cookies.values():
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"
        assert cookie["path"] == "/"
        assert not cookie["domain"]
    assert not client.cookies["sessionid"]["expires"]  # until the browser closes
