"""What Prometheus reads: closed without its token, honest, cheap, documented; each alert has figures and a remedy."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from ecare import health
from ecare.letters.models import Letter
from evidence.models import StoredFile
from tests.accounts.steps import give_password
from tests.evidence.conftest import dossier_with, put_in
from tests.factories import ApplicationFactory, UserFactory

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).parents[2]
TOKEN = "un-jeton-de-prometheus-0123456789-abcdef"
READY = dict.fromkeys(health.CHECKS, True)


@pytest.fixture
def read(client, settings, monkeypatch):
    """The figures, by name and labels as they are written."""
    settings.METRICS_TOKEN = TOKEN
    monkeypatch.setattr(health, "report", lambda: READY)

    def figures() -> dict[str, float]:
        answer = client.get("/metriques/", headers={"authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200 and answer["Content-Type"].startswith("text/plain")
        lines = [line for line in answer.content.decode().splitlines() if not line.startswith("#")]
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}

    return figures


@pytest.mark.parametrize(
    "shown", ["", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", "Bearer ", f"Basic {TOKEN}", f"Bearer é{TOKEN}", TOKEN]
)
def test_without_the_token_the_address_is_not_there(client, settings, shown):
    settings.METRICS_TOKEN = TOKEN
    answer = client.get("/metriques/", headers={"authorization": shown} if shown else {})
    assert answer.status_code == 404 and "ecare_letters" not in answer.content.decode()


@pytest.mark.parametrize("shown", ["Bearer ", "Bearer", "Bearer None"])
def test_where_no_token_is_set_nobody_reads(client, settings, shown):
    settings.METRICS_TOKEN = ""
    assert client.get("/metriques/", headers={"authorization": shown}).status_code == 404


def test_letters_that_wait_are_counted_with_their_age(read):
    now = timezone.now()
    told = {"name": "trial", "recipient": "a@exemple.fr", "title": "t", "text": "t", "html": "t"}
    Letter.objects.create(**told, send_after=now - timedelta(minutes=30), error="OSError")
    Letter.objects.create(**told, send_after=now + timedelta(minutes=30))
    Letter.objects.create(**told, state="failed")
    Letter.objects.create(**told, state="held")
    Letter.objects.create(**told, state="sent", sent_at=now)
    figures = read()
    assert 1799 <= figures["ecare_letters_oldest_seconds"] < 1900
    names = ("waiting", "stuck", "tried", "failed", "held")
    assert [figures[f"ecare_letters_{name}"] for name in names] == [2, 1, 1, 1, 1]


def test_files_that_wait_for_the_scanner_are_counted(read):
    files = [put_in(dossier_with({})).file_id for _ in range(3)]
    created = timezone.now() - timedelta(hours=1)
    for pk, scan in zip(files, ("pending", "pending", "infected"), strict=True):
        StoredFile.objects.filter(pk=pk).update(scan=scan, created_at=created)
    figures = read()
    assert (figures["ecare_scans_waiting"], figures["ecare_files_infected"]) == (2, 1)
    assert figures["ecare_scans_oldest_seconds"] >= 3600


def test_dossiers_are_counted_in_each_state_and_none_is_left_out(read):
    ApplicationFactory.create_batch(2)
    figures = read()
    assert figures['ecare_dossiers{state="draft"}'] == 2
    assert figures['ecare_dossiers{state="validated"}'] == 0


def test_refusals_are_counted_by_their_reason(read, client, signed_in):
    before = read()
    client.get("/nulle-part/")
    give_password(client, UserFactory(), password="faux")
    type(client)(enforce_csrf_checks=True).post("/connexion/", {})
    application = dossier_with({"max_files": 1})
    bad = SimpleUploadedFile("a.pdf", b"%PDF-1.7\n")
    signed_in(application.referent).post(
        reverse("evidence:add", args=[application.reference]), {"_page": "1", "espace-1": bad}
    )
    after = read()

    def grown(name):
        return after.get(name, 0) - before.get(name, 0)

    assert grown('ecare_refusals_total{reason="not_found"}') == 1
    assert grown('ecare_refusals_total{reason="password"}') == 1
    assert grown('ecare_refusals_total{reason="csrf"}') == 1
    assert grown('ecare_refusals_total{reason="forbidden"}') == 0
    assert grown('ecare_uploads_refused_total{reason="pdf"}') == 1
    assert grown('ecare_requests_total{method="GET",route="none",status="404"}') == 1
    assert grown('ecare_request_seconds_count{route="none"}') == 1


def test_a_reading_costs_the_same_however_much_there_is(read):
    read()
    with CaptureQueriesContext(connection) as few:
        read()
    for rank in range(3):
        put_in(dossier_with({}), name=f"{rank}.pdf")
    Letter.objects.bulk_create(
        Letter(name="trial", recipient="a@exemple.fr", title="t", text="t", html="t") for _ in range(30)
    )
    with CaptureQueriesContext(connection) as many:
        read()
    assert len(many) == len(few) <= 20


def test_when_the_database_is_away_the_checks_are_said_and_nothing_is_asked(read, monkeypatch):
    monkeypatch.setattr(health, "report", lambda: READY | {"database": False})
    figures = read()
    assert figures['ecare_check_ready{check="database"}'] == 0
    assert "ecare_letters_waiting" not in figures


def test_no_figure_names_a_person(read, signed_in):
    person = UserFactory(username="canari.nom", email="canari@exemple.fr", last_name="Canari")
    application = dossier_with({}, referent=person)
    signed_in(person).get(reverse("applications:detail", args=[application.reference]))
    assert not [name for name in read() if "canari" in name.lower() or application.reference in name]


# --- alerts and documents -----------------------------------------------------------------------------------------
RULES = yaml.safe_load((ROOT / "deploy" / "alerts.yml").read_text())["groups"][0]["rules"]
DOCUMENT = (ROOT / "docs" / "operations.md").read_text()


def exported(figures) -> set[str]:
    """The names as the document has them: of a histogram one, of what nobody counted yet its declaration."""
    names = {re.sub(r"(_bucket|_count|_sum|_created)?(\{.*)?$", "", name) for name in figures}
    return {name for name in names if name.startswith("ecare_")}


def test_every_exported_metric_is_documented_and_every_documented_one_exported(read, client, signed_in):
    client.get("/nulle-part/")
    test_refusals_are_counted_by_their_reason(read, client, signed_in)
    documented = set(re.findall(r"^\| `(ecare_\w+)` \|", DOCUMENT, re.MULTILINE))
    assert exported(read()) == documented


def test_every_alert_watches_metrics_that_exist(read, client, signed_in):
    documented = set(re.findall(r"^\| `(ecare_\w+)` \|", DOCUMENT, re.MULTILINE))
    for rule in RULES:
        named = {re.sub("_bucket$", "", name) for name in re.findall(r"\b(ecare_\w+)", rule["expr"])}
        assert named <= documented, rule["alert"]
        assert named or "up{" in rule["expr"], rule["alert"]


def test_every_alert_says_what_to_do():
    headings = set(re.findall(r"^### (\w+)$", DOCUMENT, re.MULTILINE))
    assert {rule["alert"] for rule in RULES} == headings
    assert all(rule["labels"]["severity"] in ("page", "ticket") for rule in RULES)
    assert all(rule["annotations"]["summary"] for rule in RULES)
