"""Web, worker and beat as in production, on a real PostgreSQL and Valkey: what they write, say and count; and what a
frozen server changes."""

import json
import os
import subprocess
import sys
import time
from http.client import HTTPConnection
from pathlib import Path

import pytest

from deploy.postgres import Postgres
from deploy.processes import HOST, Server, answers, free_port, wait_for
from deploy.valkey import Valkey
from ecare.health import REMEMBERED
from tests.ecare.test_production import GIVEN
from tests.letters.conftest import Sink
from tests.portal import ROOT

TOKEN = "un-jeton-de-prometheus-0123456789-abcdef"
MAKE = """
from accounts.models import User
from allauth.account.models import EmailAddress
user = User.objects.create(username="canari", email="canari@exemple.fr", role="ans", first_name="Canari", last_name="C")
EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
"""
ASK = """
from structlog.contextvars import bind_contextvars
bind_contextvars(request_id="{given}")
from accounts.actions import request_password_reset
request_password_reset("canari@exemple.fr", key_for=lambda user: "cle-secrete")
"""


class Process(Server):
    """One of the processes of production."""

    def __init__(self, folder, name, arguments, variables):
        super().__init__(folder)
        self.name, self.arguments, self.variables = name, arguments, variables
        self.port = free_port()

    @property
    def workplace(self) -> Path:
        return ROOT

    def environment(self):
        return super().environment() | self.variables

    def command(self):
        return [sys.executable, "-m", *self.arguments]

    def is_ready(self):
        return True

    def lines(self) -> list[dict]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]


class Web(Process):
    def command(self):
        return [*super().command(), "-b", f"{HOST}:{self.port}"]

    def is_ready(self):
        return answers(self.port)

    def get(self, path, *, method="GET", body=None, **headers):
        web = HTTPConnection(HOST, self.port, timeout=20)
        headers = {"Host": GIVEN["ALLOWED_HOSTS"], "X-Forwarded-Proto": "https"} | headers
        try:
            web.request(method, path, body=body, headers=headers)
            answer = web.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read().decode()
        finally:
            web.close()

    def checks(self):
        status, _, text = self.get("/sante/")
        return status, json.loads(text)["checks"]


@pytest.fixture(scope="module")
def portal(tmp_path_factory):
    folder, mail = tmp_path_factory.mktemp("watched"), free_port()
    with Postgres(folder / "postgres", durable=False) as database, Valkey(folder / "valkey") as broker:
        variables = GIVEN | {
            "DATABASE_URL": database.url(),
            "REDIS_URL": broker.url,
            "ECARE_DATA": str(folder / "data"),
            "EMAIL_URL": f"smtp://{HOST}:{mail}",
            "ECARE_METRICS_TOKEN": TOKEN,
            "ECARE_PROXIES": "1",
            "DJANGO_SETTINGS_MODULE": "ecare.settings",
            "PROMETHEUS_MULTIPROC_DIR": str(folder / "counters"),
        }
        prepared = variables | {"PATH": os.environ["PATH"]}
        for command in (["migrate", "-v0"], ["createcachetable"], ["shell", "--no-imports", "-c", MAKE]):
            subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, env=prepared, check=True)
        beat = ["celery", "-q", "-A", "ecare", "beat", "-s", str(folder / "beat")]
        worker = ["celery", "-q", "-A", "ecare", "worker", "-P", "threads", "-c", "4"]
        processes = {
            "web": Web(folder / "web", "web", ["gunicorn"], variables),
            "worker": Process(folder / "worker", "worker", worker, variables | {"PYTHONWARNINGS": "ignore"}),
            "beat": Process(folder / "beat-logs", "beat", beat, variables),
        }
        try:
            for process in processes.values():
                process.start()
            yield processes | {"mail": mail, "broker": broker, "database": database}
        finally:
            for process in processes.values():
                process.stop()
            database.forget()


def test_what_production_writes_counts_and_says(portal):
    web, worker = portal["web"], portal["worker"]
    wait_for(lambda: web.checks()[1]["background"], what="the worker does not tick")
    assert web.checks()[0] == 200
    given = "0f3a9c5d7e1b2a4c0f3a9c5d7e1b2a4c"
    address = "/api/v1/dossiers?q=canari"
    status, headers, _ = web.get(address, **{"X-Request-ID": given, "Authorization": "Bearer ecare_canaricanari"})
    assert (status, headers["X-Request-ID"]) == (401, given)
    for _ in range(6):  # over both processes
        web.get("/sante/vivant/")
    status, _, figures = web.get("/metriques/", Authorization=f"Bearer {TOKEN}")
    assert status == 200 and "ecare_letters_waiting 0.0" in figures
    alive = 'ecare_requests_total{method="GET",route="alive",status="200"} 6.0'
    assert alive in figures, "what both processes counted is added up"
    for process in (web, worker, portal["beat"]):
        assert all({"at", "level", "logger", "event"} <= set(line) for line in process.lines()), process.name
        assert "canari" not in process.log.read_text()
    [line] = [line for line in web.lines() if line.get("request_id") == given and line["logger"] == "ecare.access"]
    assert (line["route"], line["role"]) == ("systems:dossiers", "anonymous")


def test_one_reference_from_the_click_to_the_worker(portal):
    """The row keeps it from one process to the other; the fault of the worker says it."""
    web, worker = portal["web"], portal["worker"]
    given = "c11cc11cc11cc11c"
    subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", ASK.format(given=given)],
        cwd=ROOT,
        env=worker.variables | {"PATH": os.environ["PATH"]},
        check=True,
    )
    wait_for(lambda: "out of reach" in worker.log.read_text(), what="the worker never tried")
    wait_for(lambda: not web.checks()[1]["mail"], what="nobody says that letters wait")
    assert web.checks()[0] == 200
    mailbox = Sink()
    mailbox.port = portal["mail"]
    mailbox.start()
    try:
        wait_for(lambda: given in worker.log.read_text(), what="the letter does not leave")
    finally:
        mailbox.stop()
    [line] = [line for line in worker.lines() if line.get("request_id") == given]
    assert (line["logger"], line["kind"], line["outcome"]) == ("ecare.work", "letter", "done")
    assert len(mailbox.mails) == 1
    assert "canari" not in worker.log.read_text() and "cle-secrete" not in worker.log.read_text()


def test_a_frozen_broker_takes_no_node_away(portal):
    web, broker = portal["web"], portal["broker"]
    broker.freeze()
    try:
        wait_for(lambda: not web.checks()[1]["background"], what="the pulse goes on without a broker", seconds=60)
        assert web.checks()[0] == 200
    finally:
        broker.thaw()
    wait_for(lambda: web.checks()[1]["background"], what="the pulse does not come back", seconds=90)


def test_a_frozen_database_hangs_neither_the_health_nor_the_life_of_a_node(portal):
    web, database = portal["web"], portal["database"]
    database.freeze()
    time.sleep(2 * REMEMBERED)
    try:
        for _ in range(4):
            began = time.monotonic()
            status, checks = web.checks()
            assert time.monotonic() - began < 4
            assert status == 503 and not checks["database"]
            assert web.get("/sante/vivant/")[0] == 200
    finally:
        database.thaw()
    wait_for(lambda: web.checks()[0] == 200, what="the node does not come back", seconds=60)
