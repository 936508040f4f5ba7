"""The doors that every page stands behind."""

from datetime import timedelta

import pytest
from django.contrib.auth import SESSION_KEY
from django.test import Client

from accounts.models import SignInCode
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
BACKEND = "accounts.backends.ActivatedBackend"


def test_a_session_opened_without_the_code_is_nobody():
    client = Client()
    client.force_login(UserFactory(administrator=True), backend=BACKEND)
    assert client.get("/compte/")["Location"] == "/connexion/?next=/compte/"
    assert SESSION_KEY not in client.session


def test_a_session_tied_to_somebody_elses_code_is_nobody(signed_in):
    client = signed_in(UserFactory())
    SignInCode.objects.update(user=UserFactory())
    assert client.get("/compte/").status_code == 302


def test_a_session_tied_to_a_code_that_nobody_typed_is_nobody(signed_in):
    client = signed_in(UserFactory())
    SignInCode.objects.update(confirmed=False)
    assert client.get("/compte/").status_code == 302


def test_an_idle_session_ends_and_says_so(signed_in, time_machine):
    time_machine.move_to("2026-03-02 10:00Z")
    client = signed_in(UserFactory())
    time_machine.shift(timedelta(hours=1, minutes=59))
    assert client.get("/compte/").status_code == 200
    time_machine.shift(timedelta(hours=1, minutes=59))
    assert client.get("/compte/").status_code == 200
    time_machine.shift(timedelta(hours=2, minutes=1))
    page = client.get("/compte/", follow=True)
    assert page.redirect_chain == [("/connexion/?next=/compte/", 302)]
    assert "Votre session a expiré." in page.content.decode()


def test_what_was_typed_in_a_session_that_ended_is_said_to_be_lost(signed_in, time_machine):
    time_machine.move_to("2026-03-02 10:00Z")
    client = signed_in(UserFactory())
    time_machine.shift(timedelta(hours=2, minutes=1))
    page = client.post("/compte/mot-de-passe/", {"oldpassword": "x"}, follow=True).content.decode()
    assert "Votre dernière saisie n’a pas été enregistrée." in page


def test_a_session_in_use_ends_after_eight_hours(signed_in, time_machine):
    time_machine.move_to("2026-03-02 08:00Z")
    client = signed_in(UserFactory())
    for _ in range(8):
        assert client.get("/compte/").status_code == 200
        time_machine.shift(timedelta(hours=1))
    time_machine.shift(timedelta(seconds=5))
    assert client.get("/compte/").status_code == 302


def test_private_pages_are_not_stored(signed_in, client):
    assert "no-store" in signed_in(UserFactory()).get("/compte/")["Cache-Control"]


def test_a_deactivated_person_is_out_at_once(signed_in):
    user = UserFactory()
    client = signed_in(user)
    user.is_active = False
    user.save()
    assert client.get("/compte/").status_code == 302


def test_the_doors_cost_four_queries(signed_in, django_assert_num_queries):
    """Session, person, code, terms."""
    client = signed_in(UserFactory(ans=True))
    client.get("/compte/mot-de-passe/")
    with django_assert_num_queries(4):
        client.get("/compte/mot-de-passe/")
