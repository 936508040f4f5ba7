"""What is alive, what is ready, and that nothing frozen makes the page wait."""

import threading
import time

import pytest
from django.core.cache import cache
from django.db import DatabaseError, connection

from ecare import health, tasks
from evidence.storage import VaultStorage

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch):
    monkeypatch.setattr(health, "REMEMBERED", -1.0)


@pytest.fixture
def checks(monkeypatch):
    """What a test adds is asked in this test alone."""
    monkeypatch.setattr(health, "CHECKS", dict(health.CHECKS))


def refuse():
    raise DatabaseError


FROZEN = threading.Event()
CALLS: list[int] = []


def freeze():
    CALLS.append(1)
    FROZEN.wait(20)


def test_all_is_ready_once_a_worker_did_what_beat_asked(client):
    assert client.get("/sante/").json()["checks"]["background"] is False
    tasks.pulse()
    response = client.get("/sante/")
    assert response.status_code == 200 and all(response.json()["checks"].values())
    assert response.json()["alive"] is response.json()["ready"] is True
    assert "no-store" in response["Cache-Control"]


def test_a_node_without_a_worker_serves(client):
    """What is sent waits in the database: the load balancer keeps the node."""
    response = client.get("/sante/")
    assert (response.status_code, response.json()["ready"]) == (200, True)


def test_a_store_that_does_not_answer_is_said_and_stops_no_node(client, monkeypatch):
    monkeypatch.setattr(VaultStorage, "exists", lambda *_: refuse())
    response = client.get("/sante/")
    assert (response.status_code, response.json()["checks"]["storage"]) == (200, False)


def test_without_its_database_a_node_leaves(client, monkeypatch):
    monkeypatch.setattr(health, "check_database", refuse)
    response = client.get("/sante/")
    assert (response.status_code, response.json()["ready"], response.json()["alive"]) == (503, False, True)


def test_whoever_polls_while_all_starts_fills_no_log(client, caplog, monkeypatch):
    monkeypatch.setattr(health, "check_database", refuse)
    assert client.get("/sante/").status_code == 503
    assert [record for record in caplog.records if record.name.startswith("django")] == []


def test_a_pulse_from_before_the_start_says_nothing(client):
    tasks.pulse()
    health.forget_pulse()
    assert client.get("/sante/").json()["checks"]["background"] is False


def test_the_pulse_is_written_only_now_and_then(django_assert_num_queries):
    tasks.pulse()
    with django_assert_num_queries(1):
        tasks.pulse()


def test_a_pulse_that_is_too_old_is_not_ready(client):
    cache.set(health.PULSE, 0.0, timeout=-1)
    assert client.get("/sante/").json()["checks"]["background"] is False


def test_a_missing_migration_is_not_ready(client):
    health._check_migrations.cache_clear()
    with connection.cursor() as cursor:
        cursor.execute("SELECT app, name, applied FROM django_migrations WHERE app = 'letters'")
        rows = cursor.fetchall()
        cursor.execute("DELETE FROM django_migrations WHERE app = 'letters'")
        try:
            response = client.get("/sante/")
        finally:
            cursor.executemany("INSERT INTO django_migrations (app, name, applied) VALUES (%s, %s, %s)", rows)
    assert response.status_code == 503 and response.json()["checks"]["migrations"] is False


def test_it_neither_opens_a_session_nor_takes_a_post(client):
    for address in ("/sante/", "/sante/vivant/"):
        assert "Set-Cookie" not in client.get(address).headers
        assert client.post(address).status_code == 405


def test_what_is_frozen_makes_nobody_wait_and_is_asked_only_once(client, checks, monkeypatch):
    """Protection: `_answer` waits so long and no longer, `_ask_all` starts nothing behind what still hangs."""
    monkeypatch.setattr(health, "PATIENCE", 0.5)
    health.check("frozen", f"{__name__}.freeze")
    CALLS.clear()
    FROZEN.clear()
    try:
        for _ in range(3):
            began = time.monotonic()
            response = client.get("/sante/")
            assert time.monotonic() - began < 2
            assert (response.status_code, response.json()["checks"]["frozen"]) == (200, False)
            assert response.json()["checks"]["database"] is True
        assert CALLS == [1]
    finally:
        FROZEN.set()


def test_however_often_one_polls_the_dependencies_are_asked_once_a_second(client, checks, monkeypatch):
    monkeypatch.setattr(health, "REMEMBERED", 60.0)
    monkeypatch.setattr(health, "_latest", (0.0, {}))
    health.check("counted", f"{__name__}.freeze")
    FROZEN.set()
    CALLS.clear()
    for _ in range(5):
        client.get("/sante/")
    assert CALLS == [1]


def test_the_process_is_alive_whatever_is_asked_of_others(client, django_assert_num_queries, monkeypatch):
    monkeypatch.setattr(health, "_ask_all", refuse)
    with django_assert_num_queries(0):
        assert client.get("/sante/vivant/").json() == {"alive": True}
