"""What somebody left behind in a session, and what a stolen one is worth."""

from datetime import timedelta
from importlib import import_module

import pytest
import time_machine
from django.apps import apps
from django.test import Client
from django.utils import timezone

from accounts.models import OpenSession
from ecare.tasks import forget_sessions
from tests.accounts.steps import fill_person, give_code, give_password, secret_of
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def test_an_unfinished_registration_is_forgotten(client):
    fill_person(client)
    assert "registration" in OpenSession.objects.get().get_decoded()
    forget_sessions()
    assert OpenSession.objects.exists(), "not while it is under way"
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        forget_sessions()
    assert not OpenSession.objects.exists()


def test_a_registration_under_way_never_holds_the_password(client):
    fill_person(client, password1="Montagne-Bleue-77", password2="Montagne-Bleue-77")
    assert "Montagne-Bleue" not in str(OpenSession.objects.get().get_decoded())


def test_the_name_of_a_session_chosen_by_somebody_else_is_not_taken(client):
    client.cookies["sessionid"] = "choisiparunautrechoisiparunautre"
    give_password(client, UserFactory())
    give_code(client, secret_of("code"))
    assert client.cookies["sessionid"].value != "choisiparunautrechoisiparunautre"


def test_a_session_of_the_first_step_is_worth_nothing_after_the_second(client):
    give_password(client, UserFactory())
    stolen = client.cookies["sessionid"].value
    give_code(client, secret_of("code"))
    thief = Client()
    thief.cookies["sessionid"] = stolen
    assert thief.get("/tableau-de-bord/")["Location"].startswith("/connexion/")
    assert thief.get("/connexion/code/")["Location"] == "/connexion/"


def test_the_table_of_sessions_opens_nothing(signed_in):
    """Whoever reads a row, by an injection or in a back-up, holds no cookie."""
    person = UserFactory()
    client = signed_in(person)
    row, cookie = OpenSession.objects.get(user=person), client.cookies["sessionid"].value
    assert cookie not in (row.session_key, row.session_data) and cookie not in str(row.facts)
    thief = Client()
    thief.cookies["sessionid"] = row.session_key
    assert thief.get("/compte/").status_code == 302
    assert client.get("/compte/").status_code == 200
    client.post("/deconnexion/")
    assert not OpenSession.objects.filter(user=person).exists()


def test_a_session_that_was_open_before_its_key_was_digested_stays_open(signed_in):
    person = UserFactory()
    client = signed_in(person)
    cookie = client.cookies["sessionid"].value
    OpenSession.objects.filter(user=person).update(session_key=cookie)
    assert Client(headers={"cookie": f"sessionid={cookie}"}).get("/compte/").status_code == 302
    digest_keys = import_module("accounts.migrations.0008_sessions_by_digest").digest_keys
    digest_keys(apps, None)
    assert client.get("/compte/").status_code == 200
