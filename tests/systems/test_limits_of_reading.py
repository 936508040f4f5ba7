"""How much may be read, what is left of it for administrators, and what never stands anywhere."""

import io
import logging
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from ecare.logs import Line
from systems import actions, rules
from systems.models import Token, Usage
from tests.systems.conftest import dossiers

pytestmark = pytest.mark.django_db


def test_a_token_reads_so_often_in_a_minute(time_machine, settings, read, issue):
    time_machine.move_to("2026-11-27T12:00:40+01:00", tick=False)
    settings.API_READINGS_PER_MINUTE = 3
    token, value = issue()
    _, neighbour = issue()
    assert [read(value, "domains").status_code for _ in range(5)] == [200, 200, 200, 429, 429]
    refused = read(value, "domains")
    assert refused["Retry-After"] == "20" and "20 secondes" in refused.json()["detail"]
    assert read(neighbour, "domains").status_code == 200, "each has its own"
    time_machine.shift(timedelta(seconds=20))
    assert read(value, "domains").status_code == 200
    usage = Usage.objects.get(token=token)
    assert (usage.requests, usage.refusals) == (4, 3)


def test_the_clock_of_another_host_gives_nothing_more(time_machine, settings, issue):
    time_machine.move_to("2026-11-27T12:00:01+01:00", tick=False)
    settings.API_READINGS_PER_MINUTE = 2
    token, _ = issue()
    now = timezone.now()
    assert actions.enter(token, at=now) == 0
    assert actions.enter(token, at=now - timedelta(seconds=5)) == 0
    assert actions.enter(token, at=now) > 0
    assert actions.enter(token, at=now - timedelta(seconds=5)) > 0


def test_an_address_shows_wrong_tokens_so_often_and_holds_back_no_other(read, issue):
    limit = int(settings.ACCOUNT_RATE_LIMITS["api_token"].partition("/")[0])
    _, value = issue()
    statuses = [read(rules.new_value(), "domains").status_code for _ in range(limit + 2)]
    assert statuses == [401] * limit + [429] * 2
    refused = read("n’importe quoi", "domains")
    assert refused.status_code == 429 and refused["Retry-After"] == "300"
    assert read(value, "domains").status_code == 200


def test_each_day_leaves_one_row_for_a_token(time_machine, read, issue, administrator):
    time_machine.move_to("2026-11-27T12:00:00+01:00", tick=False)
    [one, *_] = dossiers(5)
    token, value = issue()
    for path in ("dossiers", f"dossiers/{one.reference}", "domains", "dossiers/AAAAAAAAAA"):
        read(value, path)
    read(value, "dossiers", limit=0)
    Client().head("/api/v1/dossiers", headers={"authorization": f"Bearer {value}"})
    time_machine.shift(timedelta(days=1))
    read(value, "dossiers")
    actions.revoke_token(token, by=administrator, at=timezone.now())
    read(value, "dossiers")
    rows = list(Usage.objects.order_by("day").values_list("requests", "dossiers", "refusals"))
    assert rows == [(4, 11, 2), (1, 5, 1)]


def test_the_last_use_is_written_once_in_some_minutes(time_machine, read, issue):
    time_machine.move_to("2026-11-27T12:00:00+01:00", tick=False)
    token, value = issue()
    first = timezone.now()
    told = []
    for minutes in (0, 4, 1, 0):
        time_machine.shift(timedelta(minutes=minutes))
        read(value, "domains")
        told.append(Token.objects.get(pk=token.pk).last_used_at)
    assert told == [first, first, first + timedelta(minutes=5), first + timedelta(minutes=5)]


@pytest.mark.parametrize("name", ["token", "access_token", "domain"])
def test_a_token_in_an_address_is_refused_even_if_it_is_right(read, issue, name):
    token, value = issue()
    answer = Client().get(f"/api/v1/dossiers?{name}={value}")
    assert answer.status_code == 400 and "révoquer" in answer.json()["detail"] and value not in answer.text
    hidden = value.replace("_", "%5F")
    assert Client().get(f"/api/v1/dossiers?{name}={hidden}").status_code == 400
    assert Token.objects.get(pk=token.pk).last_used_at is None


def test_no_token_stands_in_the_logs(read, issue, caplog):
    _, value = issue()
    with caplog.at_level(logging.DEBUG):
        read(value, "dossiers")
        read(f"{value}x", "dossiers")
        Client().get(f"/api/v1/dossiers?token={value}")
        Client().get(f"/api/v1/{value}")
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Line(is_readable=True))
    for record in caplog.records:
        if not record.name.startswith("django.db"):
            handler.handle(record)
    assert value not in stream.getvalue()
    assert "route=systems:nothing" in stream.getvalue(), "the route is named, never the address"


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
def test_the_api_is_only_read(issue, method):
    _, value = issue()
    for path in ("dossiers", "statistics", "domains", "openapi.json", "rien"):
        answer = getattr(Client(enforce_csrf_checks=True), method)(
            f"/api/v1/{path}", headers={"authorization": f"Bearer {value}"}
        )
        assert answer.status_code == 405 and answer["Allow"] == "GET, HEAD", path
        assert answer["Content-Type"].startswith("application/problem+json")
        assert not [name for name in answer.headers if name.startswith("Access-Control")]


def test_a_head_is_a_get_without_its_body(issue):
    _, value = issue()
    headers = {"authorization": f"Bearer {value}", "origin": "https://ailleurs.exemple"}
    answer = Client().head("/api/v1/dossiers", headers=headers)
    assert answer.status_code == 200 and answer.content == b""
    answer = Client().get("/api/v1/dossiers", headers=headers)
    assert answer["Cache-Control"] == "no-store, private" and "Authorization" in answer["Vary"]
    assert not [name for name in answer.headers if name.startswith("Access-Control")] and not answer.cookies


def test_an_address_that_does_not_exist_says_so_to_machines(read, issue):
    _, value = issue()
    for path in ("rien", "dossiers/", "dossiers/a/b", "", "openapi.yaml"):
        answer = read(value, path)
        assert answer.status_code == 404 and answer.json()["title"] == "Introuvable", path
