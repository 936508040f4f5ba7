"""« Vos sessions »: where somebody is signed in, and how they close what they do not know."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts import facts
from accounts.models import OpenSession
from ecare.journal.models import Entry
from tests.accounts.steps import NEW_PASSWORD, give_code, give_password, secret_of
from tests.applications.pages import text_of
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def user():
    return UserFactory()


def closes(client, name):
    return client.post(f"/compte/sessions/{name}/fermer/", follow=True)


def name_of(client):
    return row_of(client).public_name


def row_of(client) -> OpenSession:
    return OpenSession.objects.get(session_key=OpenSession.digest(client.session.session_key))


def test_a_sign_in_is_listed_with_the_family_of_its_browser(user, signed_in):
    client = Client(HTTP_USER_AGENT=FIREFOX, REMOTE_ADDR="203.0.113.7")
    give_password(client, user)
    assert not OpenSession.of(user), "not before the code"
    give_code(client, secret_of("code"))
    text = text_of(client.get("/compte/"))
    assert "Firefox sous Windows" in text and "Cette session" in text and "Fermer les autres" not in text
    assert "203.0.113.7" not in str([row.facts for row in OpenSession.objects.all()])


def test_another_session_is_closed_at_once(user, signed_in):
    here, elsewhere = signed_in(user), signed_in(user)
    page = here.get("/compte/").content.decode()
    assert elsewhere.session.session_key not in page and name_of(elsewhere) in page
    assert "La session est fermée." in text_of(closes(here, name_of(elsewhere)))
    assert elsewhere.get("/compte/").status_code == 302
    assert here.get("/compte/").status_code == 200
    assert Entry.objects.filter(subject=f"user:{user.pk}", verb="close_session").count() == 1


def test_all_others_are_closed_together(user, signed_in):
    here, *others = (signed_in(user) for _ in range(3))
    stranger = signed_in(UserFactory())
    page = here.post("/compte/sessions/fermer/", follow=True)
    assert "Vos autres sessions sont fermées." in text_of(page)
    assert [client.get("/compte/").status_code for client in others] == [302, 302]
    assert stranger.get("/compte/").status_code == 200


def test_neither_another_persons_nor_the_present_session_is_closed_so(user, signed_in):
    here, stranger = signed_in(user), signed_in(UserFactory())
    for name in (name_of(stranger), name_of(here), "abc"):
        assert "Cette session est déjà fermée." in text_of(closes(here, name))
    assert stranger.get("/compte/").status_code == 200


def test_the_list_holds_what_still_opens_something(user, signed_in):
    with time_machine.travel(timezone.now() - timedelta(hours=3)):
        signed_in(user)
    signed_in(user).post("/deconnexion/")
    here, elsewhere = signed_in(user), signed_in(user)
    elsewhere.post(
        "/compte/mot-de-passe/", {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    )
    user.refresh_from_db()
    assert OpenSession.of(user) == [row_of(elsewhere)]
    assert here.get("/compte/").status_code == 302


@pytest.mark.parametrize("count", [1, 3])
def test_the_account_costs_the_same_however_many_sessions(user, signed_in, django_assert_num_queries, count):
    *_, client = (signed_in(user) for _ in range(count))
    with django_assert_num_queries(12):
        client.get("/compte/")


@pytest.mark.parametrize(
    ("user_agent", "said"),
    [
        (FIREFOX, "Firefox sous Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605 Version/17 Safari/605", "Safari sous macOS"),
        ("Mozilla/5.0 (Linux; Android 14) AppleWebKit/537 Chrome/130 Mobile Safari/537", "Chrome sous Android"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537 Chrome/130 Safari/537 Edg/130.0", "Edge sous Windows"),
        ("curl/8.0", ""),
        ("", ""),
    ],
)  # fmt: skip
def test_the_family_of_a_browser(user_agent, said):
    assert facts.of_browser(user_agent) == said
