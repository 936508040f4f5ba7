"""What somebody left behind in a session, and what a stolen one is worth."""

from datetime import timedelta
from importlib import import_module

import pytest
import time_machine
from django.apps import apps
from django.test import Client
from django.utils import timezone

from accounts.models import OpenSession, User
from ecare.tasks import forget_sessions
from tests.accounts.steps import (
    NEW_PASSWORD,
    enrolled,
    fill_person,
    give_code,
    give_password,
    give_second,
    secret_of,
)
from tests.accounts.steps import shown as code_shown
from tests.accounts.test_second_factor import ENROL, key_on
from tests.factories import PASSWORD, UserFactory

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


# --- what ends a session ------------------------------------------------------------------------------------------
def change_password(client, person):
    sent = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    assert client.post("/compte/mot-de-passe/", sent).status_code == 302


def forget_password(client, person):
    stranger = Client()
    stranger.post("/mot-de-passe/", {"email": person.email})
    page = stranger.get(f"/mot-de-passe/nouveau/{secret_of('password_reset')}/")
    sent = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    assert stranger.post(page["Location"], sent).status_code == 302


def change_email(client, person):
    client.post("/compte/adresse/", {"email": "neuve@exemple.fr", "password": PASSWORD})
    for name in ("email_change_requested", "email_change_to_confirm"):
        client.post(f"/compte/adresse/confirmer/{secret_of(name)}/")


def enrol(client, person):
    assert client.post(ENROL, {"code": code_shown(key_on(client.get(ENROL)))}).status_code == 302


def log_out(client, person):
    client.post("/deconnexion/")


def close_others(client, person):
    client.post("/compte/sessions/fermer/")


def deactivate(client, person):
    User.objects.filter(pk=person.pk).update(is_active=False)


# What is done → whether this session goes on, under another name, and whether the others do.
ENDS = {
    change_password: ("goes on", "renamed", "others end"),
    forget_password: ("ends", "", "others end"),
    change_email: ("goes on", "", "others end"),
    enrol: ("goes on", "renamed", "others end"),
    log_out: ("ends", "", "others go on"),
    close_others: ("goes on", "", "others end"),
    deactivate: ("ends", "", "others end"),
}


def is_open(cookie: str) -> bool:
    return Client(headers={"cookie": f"sessionid={cookie}"}).get("/compte/").status_code == 200


@pytest.mark.parametrize("deed", ENDS, ids=lambda deed: deed.__name__)
def test_who_survives(signed_in, deed):
    """A copy of the cookie, taken before, is worth what the session is; 0 survivors but those named here."""
    person = UserFactory(ars=True)
    client, other, bystander = signed_in(person), signed_in(person), signed_in(UserFactory())
    stolen, elsewhere = (one.cookies["sessionid"].value for one in (client, other))
    assert is_open(stolen) and is_open(elsewhere)
    deed(client, person)
    present = client.cookies["sessionid"].value
    goes_on, renamed, others = ENDS[deed]
    assert (client.get("/compte/").status_code == 200) == (goes_on == "goes on")
    if goes_on == "goes on":
        assert (present != stolen) == (renamed == "renamed")
    assert is_open(stolen) == (goes_on == "goes on" and not renamed)
    assert is_open(elsewhere) == (others == "others go on")
    assert is_open(bystander.cookies["sessionid"].value)


def test_the_name_changes_at_each_step_of_a_sign_in(client):
    """Whoever saw one of them has nothing once the next step is passed: each former name opens nothing."""
    person = UserFactory(ars=True)
    key, _codes = enrolled(person)
    client.get("/connexion/")
    names = [client.cookies.get("sessionid") and client.cookies["sessionid"].value]
    for step in (
        lambda: give_password(client, person),
        lambda: give_code(client, secret_of("code")),
        lambda: give_second(client, code_shown(key)),
    ):
        step()
        names.append(client.cookies["sessionid"].value)
    assert len(set(names)) == len(names)
    assert [is_open(name) for name in names[1:]] == [False, False, True]
