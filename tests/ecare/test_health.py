import pytest
from django.core.cache import cache
from django.db import connection

from ecare import health, tasks

pytestmark = pytest.mark.django_db


def test_all_is_ready_once_a_worker_did_what_beat_asked(client):
    assert client.get("/sante/").status_code == 503
    assert client.get("/sante/").json() == {"database": True, "migrations": True, "background": False}
    tasks.pulse()
    response = client.get("/sante/")
    assert response.status_code == 200 and all(response.json().values())
    assert "no-store" in response["Cache-Control"]


def test_whoever_polls_while_all_starts_fills_no_log(client, caplog):
    assert client.get("/sante/").status_code == 503
    assert caplog.records == []


def test_a_pulse_from_before_the_start_says_nothing(client):
    tasks.pulse()
    health.forget_pulse()
    assert client.get("/sante/").status_code == 503


def test_the_pulse_is_written_only_now_and_then(django_assert_num_queries):
    tasks.pulse()
    with django_assert_num_queries(1):
        tasks.pulse()


def test_a_missing_migration_is_not_ready(client):
    tasks.pulse()
    health._check_migrations.cache_clear()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'letters'")
    response = client.get("/sante/")
    assert response.status_code == 503 and response.json()["migrations"] is False


def test_it_neither_opens_a_session_nor_takes_a_post(client):
    assert "Set-Cookie" not in client.get("/sante/").headers
    assert client.post("/sante/").status_code == 405


def test_a_pulse_that_is_too_old_is_not_ready(client):
    cache.set(health.PULSE, 0.0, timeout=-1)
    assert client.get("/sante/").status_code == 503
