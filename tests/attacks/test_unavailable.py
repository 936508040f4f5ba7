"""The database may only be read, takes no more connections, or goes in the middle of a request: one page, in French,
that says so and gives back what was typed; nothing is half done.

The protection is `ecare/unavailable.py`, asked by `ecare.views.server_error`: without it these are pages « Erreur 500 »
with nothing given back.
"""

import html
import re
from contextlib import contextmanager

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.urls import reverse

from applications.models import Application
from ecare.unavailable import RETRY_AFTER, SAID
from tests.accounts.steps import give_password
from tests.applications.life_cycle import dossier, people, traces
from tests.counts import few_or_all
from tests.factories import PASSWORD, EstablishmentFactory, UserFactory
from tests.faults import everything, read_only
from tests.posts import all_posts
from tests.races.refusing import again, copy_of
from tests.test_headers import assert_careful
from tests.world import World

WHY = "Le RIB <b>« transmis »</b> n’est pas lisible.\r\nMerci."
ON_POSTGRESQL = pytest.mark.skipif(connection.vendor != "postgresql", reason="of PostgreSQL")


def assert_unavailable(answer):
    assert answer.status_code == 503
    assert answer["Retry-After"] == str(RETRY_AFTER)
    assert "no-store" in answer["Cache-Control"]
    assert "Le service est momentanément indisponible" in answer.text
    assert f"mailto:{settings.SUPPORT_ADDRESS}" in answer.text
    assert_careful(answer)


def given_back(answer) -> dict[str, str]:
    """What « Envoyer à nouveau » sends."""
    fields = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', answer.text)
    return {name: html.unescape(value).replace("\r\n", "\n").replace("\n", "\r\n") for name, value in fields}


@pytest.fixture
def cast(db):
    return people(EstablishmentFactory())


@pytest.fixture
def sent(cast):
    return dossier("submitted", owner=cast["owner"])


def browser(signed_in, person) -> Client:
    return copy_of(signed_in(person))


# --- a database that may only be read -----------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_what_was_typed_is_given_back_and_sent_again(signed_in, cast, sent):
    client, before = browser(signed_in, cast["ars"]), traces(sent)
    address = reverse("reviews:request_changes", args=[sent.reference])
    with read_only():
        answer = client.post(address, {"version": sent.version, "message": WHY})
    assert_unavailable(answer)
    assert traces(sent) == before
    assert f'action="{address}"' in answer.text
    assert given_back(answer) == {"version": str(sent.version), "message": WHY}
    assert client.post(address, given_back(answer)).status_code == 302
    assert Application.objects.get(pk=sent.pk).change_requests.get().message == WHY.replace("\r\n", "\n")


@pytest.mark.django_db(transaction=True)
def test_a_page_is_read_all_the_same(signed_in, cast, sent):
    client = browser(signed_in, cast["owner"])
    with read_only():
        assert client.get(reverse("applications:detail", args=[sent.reference])).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_no_post_does_anything(signed_in):
    """Every post that a person can send: whole or not at all, and never a page of another kind."""
    posts = list(all_posts(World(1), signed_in).items())[:: few_or_all(6, 1)]
    before = everything()
    with read_only():
        for row, (client, address, typed) in posts:
            answer = copy_of(client).post(address, again(typed))
            assert answer.status_code == 503, row
    assert everything() == before


@pytest.mark.django_db(transaction=True)
def test_no_password_and_no_code_is_given_back(signed_in):
    user = UserFactory()
    half = copy_of(Client())
    give_password(half, user)
    with read_only():
        entering = copy_of(Client()).post("/connexion/", {"login": user.username, "password": PASSWORD})
        coded = half.post("/connexion/code/", {"code": "12345678"})
    for answer in (entering, coded):
        assert_unavailable(answer)
        assert given_back(answer) == {} and PASSWORD not in answer.text and "12345678" not in answer.text
        assert "revenez à la page précédente" in answer.text


@pytest.mark.django_db(transaction=True)
def test_a_script_is_told_in_a_sentence(signed_in, cast):
    draft = dossier("draft", owner=cast["owner"])
    client = browser(signed_in, cast["owner"])
    address = reverse("applications:answer", args=[draft.reference, "precision"])
    with read_only():
        answer = client.post(address, {"precision": "Oui."}, headers={"accept": "application/json"})
    assert answer.status_code == 503 and answer.json() == {"message": SAID}
    assert answer["Retry-After"] == str(RETRY_AFTER)


# --- no database at all -------------------------------------------------------------------------------------------
@contextmanager
def connecting_with(**changes):
    """From now on a connection is opened otherwise."""
    kept = dict(connection.settings_dict["OPTIONS"]), connection.settings_dict["USER"]
    connection.close()
    connection.settings_dict["USER"] = changes.pop("USER", kept[1])
    connection.settings_dict["OPTIONS"] = kept[0] | changes
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["OPTIONS"], connection.settings_dict["USER"] = kept


@pytest.fixture
def nobody_connects():
    """A role that has no connection left, as all have when the server has none."""
    with connection.cursor() as cursor:
        cursor.execute("DROP ROLE IF EXISTS sans_connexion")
        cursor.execute("CREATE ROLE sans_connexion LOGIN CONNECTION LIMIT 0")
    yield {"USER": "sans_connexion"}
    with connection.cursor() as cursor:
        cursor.execute("DROP ROLE sans_connexion")


@pytest.fixture
def is_away(tmp_path):
    """The server is stopped: its socket is not there."""
    return {"host": str(tmp_path)}


@ON_POSTGRESQL
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("fault", ["nobody_connects", "is_away"])
def test_without_a_connection_each_page_says_so(signed_in, cast, sent, fault, request):
    changes = request.getfixturevalue(fault)
    client, before = browser(signed_in, cast["owner"]), traces(sent)
    with connecting_with(**changes):
        read = client.get(reverse("applications:dashboard"))
        written = client.post(reverse("applications:withdraw", args=[sent.reference]), {"version": sent.version})
        stranger = copy_of(Client()).get("/")
        machine = copy_of(Client()).get("/api/v1/dossiers", headers={"authorization": "Bearer ecare_x"})
        missing = client.get("/nulle-part/")
    assert_unavailable(read)
    assert 'href="/tableau-de-bord/">Réessayer' in read.text
    assert_unavailable(written)
    assert_unavailable(stranger)
    assert_unavailable(missing)
    assert machine.status_code in (401, 503)
    assert traces(sent) == before


@ON_POSTGRESQL
@pytest.mark.django_db(transaction=True)
def test_a_machine_is_told_in_its_own_words(is_away):
    with connecting_with(**is_away):
        answer = copy_of(Client()).get("/api/v1/dossiers", headers={"authorization": f"Bearer ecare_{'a' * 40}"})
    assert answer.status_code == 503
    assert answer["Content-Type"].startswith("application/problem+json")
    assert answer["Retry-After"] == str(RETRY_AFTER) and answer.json()["status"] == 503


# --- a database that goes in the middle ---------------------------------------------------------------------------
@contextmanager
def gone_at(rank: int):
    """The connection is ended by the server before this statement of a request. Yields how many there were."""
    asked = []
    given = connection.settings_dict

    def end(execute, sql, params, many, context):
        asked.append(sql)
        if len(asked) == rank:
            with psycopg.connect(dbname=given["NAME"], user=given["USER"], **given["OPTIONS"]) as other:
                other.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.connection.info.backend_pid])
        return execute(sql, params, many, context)

    with connection.execute_wrapper(end):
        yield asked
    connection.close()


@ON_POSTGRESQL
@pytest.mark.django_db(transaction=True)
def test_wherever_it_goes_a_submission_is_whole_or_not_at_all(signed_in, cast):
    """Before each statement of the request: 503 and nothing, until it is committed."""
    draft = dossier("draft", owner=cast["owner"])
    client, before = browser(signed_in, cast["owner"]), traces(draft)
    address, rank = reverse("applications:submit", args=[draft.reference]), 0
    while True:
        rank += 1
        with gone_at(rank) as asked:
            answer = client.post(address, {"version": draft.version})
        if len(asked) < rank:
            break
        assert answer.status_code == 503, (rank, asked[-1])
        assert given_back(answer) in ({}, {"version": str(draft.version)})
        if traces(draft) != before:
            assert Application.objects.get(pk=draft.pk).submissions.count() == 1
            break
    assert rank > 20
    again_sent = client.post(address, {"version": draft.version})
    assert again_sent["Location"] == reverse("applications:submitted", args=[draft.reference])
    assert Application.objects.get(pk=draft.pk).submissions.count() == 1
