"""Markup in everything that a person may type, seen by everybody who reads it."""

import html
import re

import pytest
from django.contrib import admin
from django.urls import reverse
from django.utils import timezone

from applications import actions
from applications.models import Application, Question
from demo.specimens import pdf
from ecare.letters.actions import _message
from ecare.letters.models import Letter
from evidence.models import Evidence
from tests.evidence.conftest import put_in
from tests.factories import ApplicationFactory, FormFactory, UserFactory

pytestmark = pytest.mark.django_db

MARK = "<script>canari()</script><img src=x onerror=canari()>\"'"
LINK = "[Cliquez ici](https://arnaque.example/)"
NAME = "<img src=x onerror=canari()>'&.pdf"
RAW = re.compile(r"<script>canari|<img src=x|\"'\"|href=\"https://arnaque")


@pytest.fixture
def cast(db):
    """People whose very names are hostile (as an administrator or an import might write them)."""
    hostile = {"first_name": MARK, "last_name": MARK}
    owner = UserFactory(**hostile)
    establishment = owner.establishment
    establishment.name = establishment.legal_entity.name = MARK
    establishment.save()
    establishment.legal_entity.save()
    return {
        "owner": owner,
        "ars": UserFactory(ars=True, regions=[establishment.region], **hostile),
        "ans": UserFactory(ans=True, **hostile),
        "administrator": UserFactory(administrator=True, **hostile),
    }


@pytest.fixture
def dossier(cast):
    """Sent, sent back with a hostile message, and sent again with a hostile change."""
    form = FormFactory(
        questions=[
            {"key": "titulaire", "kind": Question.Kind.TEXT},
            {"key": "precisions", "kind": Question.Kind.LONG_TEXT},
            {"key": "nom", "contact_role": "dsi", "contact_field": "last_name"},
            {"key": "entites", "kind": Question.Kind.CHECKLIST},
            {"key": "rib", "kind": Question.Kind.EVIDENCE, "formats": ["pdf"], "max_megabytes": 1, "max_files": 3},
        ]
    )
    application = ApplicationFactory(domain=form.domain, candidature_form=form, referent=cast["owner"])
    finess = application.establishment.entities().first().finess
    answers = {"titulaire": MARK, "precisions": f"{MARK}\n\n{LINK}", "nom": MARK, "entites": {finess: MARK}}
    owner, at = cast["owner"], timezone.now()
    actions.save_answers(application, by=owner, values=answers, at=at)
    put_in(application, pdf(), NAME, "rib")
    actions.submit(application, by=owner, version=1, at=at)
    actions.request_changes(application, by=cast["ars"], version=2, message=f"{MARK}\n\n{LINK}")
    actions.save_answers(application, by=owner, values={"titulaire": MARK * 2}, at=at)
    return Application.objects.get(pk=application.pk)


def assert_harmless(page: str):
    assert "canari" in html.unescape(page), "nothing hostile is shown here: the test proves nothing"
    found = RAW.search(page)
    assert not found, page[max(0, found.start() - 200) : found.end() + 100]


@pytest.mark.parametrize(
    ("role", "name"),
    [("owner", "applications:detail"), ("owner", "applications:recap"),
     ("owner", "applications:submitted"), ("ars", "reviews:dossier"), ("ans", "reviews:dossier")],
)  # fmt: skip
def test_on_the_pages_of_a_dossier(signed_in, cast, dossier, role, name):
    assert_harmless(signed_in(cast[role]).get(reverse(name, args=[dossier.reference])).content.decode())


def test_on_the_page_that_asks_before_a_file_is_removed(signed_in, cast, dossier):
    file = Evidence.objects.get(application=dossier).file_id
    page = signed_in(cast["owner"]).get(reverse("evidence:remove", args=[file])).content.decode()
    assert_harmless(page)


@pytest.mark.parametrize("name", ["reviews:accept", "reviews:request_changes", "reviews:reject"])
def test_on_the_pages_of_a_decision(signed_in, cast, dossier, name):
    actions.submit(dossier, by=cast["owner"], version=3, at=timezone.now())
    client, address = signed_in(cast["ars"]), reverse(name, args=[dossier.reference])
    assert_harmless(client.get(address).content.decode())
    answer = client.post(address, {"version": 1, "message": MARK})
    assert answer.status_code == 409
    assert_harmless(answer.content.decode())


@pytest.mark.parametrize(
    ("role", "name"),
    [("owner", "applications:dashboard"), ("owner", "accounts:account"), ("ars", "reviews:queue"),
     ("ans", "reviews:queue")],
)  # fmt: skip
def test_on_lists_and_in_the_words_of_a_search(signed_in, cast, dossier, role, name):
    typed = {"q": MARK, "etat": "tous", "sort": MARK, "page": MARK, "per_page": MARK}
    assert_harmless(signed_in(cast[role]).get(reverse(name), typed).content.decode())
    assert_harmless(signed_in(cast[role]).get(reverse(name), {"etat": "tous"}).content.decode())


@pytest.mark.parametrize("address", ["/inscription/", "/connexion/", "/mot-de-passe/", "/activation/renvoyer/"])
def test_on_the_pages_of_a_stranger(client, address):
    fields = ("login", "email", "username", "first_name", "last_name", "phone", "captcha", "captcha_key", "next")
    assert_harmless(client.post(address, dict.fromkeys(fields, MARK)).content.decode())


@pytest.mark.parametrize(
    "model",
    ["journal_entry", "letters_letter", "evidence_storedfile", "applications_application", "applications_submission",
     "accounts_user", "establishments_establishment"],
)  # fmt: skip
def test_in_the_administration(signed_in, cast, dossier, model):
    client = signed_in(cast["administrator"])
    kept = next(m for m in admin.site._registry if f"{m._meta.app_label}_{m._meta.model_name}" == model)
    assert_harmless(client.get(reverse(f"admin:{model}_changelist")).content.decode())
    for row in kept.objects.all()[:20]:
        assert_harmless(client.get(reverse(f"admin:{model}_change", args=[row.pk])).content.decode())


def test_in_the_letters(cast, dossier):
    """No markup in the HTML part, no button that leads elsewhere, no line added to the head."""
    names = set()
    for letter in Letter.objects.all():
        names.add(letter.name)
        mail = _message(letter)
        part = mail.alternatives[0].content
        assert_harmless(part)
        assert set(re.findall(r'<a href="(https?://[^/"]+)', part)) <= {"http://127.0.0.1:8000"}
        assert "\n" not in letter.title
        assert mail.message()["Bcc"] is None
    assert {"submitted", "to_review", "changes_requested"} <= names
