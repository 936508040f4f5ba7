"""Canaries in all that a person types, from the sign-up to the crash: no line of web or worker holds one.

Which protection: `ecare/logs.py` leaves out what a library puts into its sentences, the words of a fault, and every
address; with any of the three taken away a canary comes through.
"""

import re
import smtplib
from urllib.parse import quote

import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.mail.backends.locmem import EmailBackend
from django.test import Client
from django.urls import reverse

from accounts.models import User
from applications import views as dossiers
from applications.models import Application
from demo.specimens import pdf
from ecare.letters import tasks as letters
from ecare.letters.models import Letter
from establishments import imports
from establishments.tasks import run_imports
from evidence.models import StoredFile
from exports import actions as exports
from exports import builders
from exports.models import Export
from exports.tasks import build
from tests.accounts.steps import fill_person, give_code, give_password, person, register, secret_of
from tests.evidence.conftest import dossier_with
from tests.factories import EstablishmentFactory, UserFactory

pytestmark = pytest.mark.django_db

SAID = {
    "username": "canari.compte",
    "last_name": "Canarinom",
    "first_name": "Canariprenom",
    "email": "canari.courriel@exemple.fr",
    "password1": "Canari-Secret-4711",
    "password2": "Canari-Secret-4711",
    "phone": "+33 6 47 11 47 11",
}
CANARY = re.compile(r"canari|47 ?11 ?47 ?11", re.IGNORECASE)


@pytest.fixture
def said():
    """Secrets that were handed out on the way."""
    return []


@pytest.fixture
def outside(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


def hold_nothing(lines, said):
    assert lines.text.count("\n") > 5, "nothing was logged: the test proves nothing"
    found = CANARY.search(lines.text)
    assert not found, lines.text[max(0, found.start() - 300) : found.end() + 50]
    assert [secret for secret in said if secret in lines.text] == []


def signed_up(said) -> Client:
    client = Client()
    client.post(reverse("accounts:register"), person(**SAID) | {"captcha": "canari"})
    register(client, EstablishmentFactory(), **SAID)
    said.append(secret_of("activation"))
    client.get(f"/activation/{said[-1]}x/")
    client.post(f"/activation/{said[-1]}/")
    user = User.objects.get(username=SAID["username"])
    give_password(client, user, password="canari-faux-mot-de-passe")
    give_password(client, user, password=SAID["password1"])
    said.append(secret_of("code"))
    give_code(client, "00000000")
    assert give_code(client, said[-1]).status_code == 302
    return client


def test_from_the_sign_up_to_the_sending(outside, lines, said):
    client = signed_up(said)
    owner = User.objects.get(username=SAID["username"])
    application = dossier_with({"is_required": False}, referent=owner)
    address = reverse("evidence:add", args=[application.reference])
    good = SimpleUploadedFile("canari-du-rib.pdf", pdf(line="canari-du-fichier"))
    bad = SimpleUploadedFile("canari-abime.pdf", b"canari-du-fichier-abime")
    client.post(address, {"_page": "1", "espace-1": [good, bad]})
    assert StoredFile.objects.get().name == "canari-du-rib.pdf"
    client.post(reverse("applications:submit", args=[application.reference]), {"version": application.version})
    assert Application.objects.get().sendings == 1
    for _ in range(3):
        letters.deliver.apply()
    assert len(mail.outbox) >= 3 and lines.all(logger="ecare.work", outcome="done")
    said += [key for key in client.cookies for key in [client.cookies[key].value] if len(key) > 20]
    hold_nothing(lines, said)


def test_what_is_refused(outside, lines, said, settings):
    strict = Client(enforce_csrf_checks=True)
    strict.post("/inscription/", person(**SAID))
    strict.post("/connexion/?next=/canari/", {"login": "canari", "password": "canari"})
    client = Client()
    fill_person(client, email="canari sans arobase", username="canari")
    client.get(f"/{quote('canari é')}/canari@exemple.fr/?q=canari")
    client.get("/sante/", headers={"host": "canari.example"})
    client.post("/sante/", {"canari": "canari"})
    client.get("/aide/?q=canari%00", headers={"user-agent": "canari", "referer": "http://canari.example/"})
    client.post("/mot-de-passe/nouveau/canari-canaricanari/", {"password1": SAID["password1"]})
    client.get("/api/v1/dossiers/canari/", headers={"authorization": "Bearer ecare_canaricanaricanari"})
    for _ in range(8):
        give_password(client, UserFactory(), login="canari", password="canari")
    statuses = {line["status"] for line in lines.all(logger="ecare.access")}
    assert {400, 403, 404, 405} <= statuses
    hold_nothing(lines, said)


def test_what_crashes_on_a_page(monkeypatch, signed_in, lines, said):
    """The fault repeats what was typed, as those of Python and of the database do."""
    application = dossier_with({}, referent=UserFactory(email="canari@exemple.fr", last_name="Canari"))
    client = signed_in(application.referent)
    client.raise_request_exception = False

    def crash(request, *args, **kwargs):
        values = dict(request.POST)
        try:
            int(request.POST["reponse"])
        except ValueError as fault:
            raise User.DoesNotExist(f"{values} {request.user.email}") from fault

    monkeypatch.setattr(dossiers, "own_dossier", crash)
    address = reverse("applications:submit", args=[application.reference])
    assert client.post(address, {"reponse": "canari-de-la-reponse"}).status_code == 500
    [line] = lines.all(logger="django.request", level="ERROR")
    assert [fault["type"].rpartition(".")[2] for fault in line["fault"]] == ["DoesNotExist", "ValueError"]
    client.get("/nulle-part/"), client.get("/mentions-legales/"), client.get("/aide/"), client.get("/sante/x/")
    hold_nothing(lines, said)


def test_what_crashes_in_a_worker(monkeypatch, outside, lines, said, administrator):
    Letter.objects.create(name="trial", recipient="canari@exemple.fr", title="Canari", text="canari", html="canari")
    refused = smtplib.SMTPRecipientsRefused({"canari@exemple.fr": (550, b"canari unknown")})

    def refuse(*args, **kwargs):
        raise refused

    monkeypatch.setattr(EmailBackend, "send_messages", refuse)
    letters.deliver.apply()
    file = SimpleUploadedFile("canari.csv", b"canari;canari\n")
    imports.ask([("etalab-cs1100507.csv", file)], by=administrator.actor, at=Letter.objects.get().created_at)
    run_imports.apply()
    agent = UserFactory(ars=True, last_name="Canari")
    export = exports.ask(Export.Kind.QUEUE_CSV, what="q=canari", label="canari", by=agent, at=agent.date_joined)

    def crash(*args):
        raise ValueError(f"{agent} {export.what}")

    monkeypatch.setattr(builders, "view", crash)
    build.apply()
    monkeypatch.setattr(letters.actions, "deliver", crash)
    letters.deliver.apply()
    assert {line["kind"] for line in lines.all(logger="ecare.work")} == {"letter", "import", "export"}
    assert lines.all(logger="exports.builders", level="ERROR") and lines.all(logger="celery.app.trace", level="ERROR")
    hold_nothing(lines, said)
