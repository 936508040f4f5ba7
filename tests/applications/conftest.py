"""Domaine 1 as it is published, and a dossier of it with every answer."""

import uuid
from datetime import date

import pytest
from django.conf import settings
from django.utils import timezone

from applications import actions
from applications.definitions import load_domain, shift_calendar
from applications.models import Answer, Domain, Question
from applications.readers import read_folder
from tests.factories import UserFactory

DEFINITIONS = settings.BASE_DIR / "fixtures" / "domaines"

CANDIDATURE = {
    "commitment": True,
    "dsi-civility": "madame",
    "dsi-last-name": "Martin",
    "dsi-first-name": "Claire",
    "dsi-email": "claire.martin@exemple.fr",
    "rssi-civility": "monsieur",
    "rssi-last-name": "Petit",
    "rssi-first-name": "Karim",
    "rssi-email": "karim.petit@exemple.fr",
    "account-holder": "CH de la Ville",
    "iban": "FR7630006000011234567890189",
    "bic": "AGRIFRPP",
    "ps1-1": "oui",
    "ps1-2": "oui",
    "signatory-civility": "madame",
    "signatory-last-name": "Roux",
    "signatory-first-name": "Anne",
    "signatory-job": "Directrice générale",
    "signatory-email": "anne.roux@exemple.fr",
    "signatory-phone": "+33467336733",
}


@pytest.fixture
def domains(db):
    """The definitions of the repository, in the database, with their historical dates."""
    for definition in read_folder(DEFINITIONS):
        load_domain(definition, at=timezone.now())
    return {domain.slug: domain for domain in Domain.objects.all()}


@pytest.fixture
def domain(domains):
    """Domaine 1, open today."""
    shift_calendar(domains["domaine-1"], today=timezone.localdate())
    return domains["domaine-1"]


@pytest.fixture
def referent(db):
    return UserFactory()


@pytest.fixture
def client(referent, signed_in):
    """The référent's browser."""
    return signed_in(referent)


@pytest.fixture
def application(domain, referent):
    """A draft without any answer."""
    return actions.start(domain, by=referent, at=timezone.now())


@pytest.fixture
def complete(application):
    """The same with every required answer, its RIB included."""
    answer_everything(application)
    return application


def answer_everything(application):
    checklist = {entity.finess: "" for entity in application.establishment.entities()}
    actions.save_answers(
        application, by=application.referent, values=CANDIDATURE | {"entities": checklist}, at=timezone.now()
    )
    put_evidence(application, "rib")


def put_evidence(application, key, name="RIB.pdf"):
    """What the vault keeps in the answer of a space."""
    question = Question.objects.get(section__form=application.form, key=key)
    file = {"id": str(uuid.uuid4()), "name": name, "size": 12_345, "sha256": "0" * 64}
    Answer.objects.create(application=application, question=question, value=[file])


def page_of(application, **typed):
    """What a browser posts when the whole page is sent: the answers of CANDIDATURE, changed by `typed`."""
    data = {"_page": "1"}
    for key, value in (CANDIDATURE | {key.replace("_", "-"): value for key, value in typed.items()}).items():
        if value is True:
            data[key] = "on"
        elif value is not False:
            data[key] = value
    return data


HISTORICAL = {
    "candidature_from": date(2024, 3, 18),
    "candidature_until": date(2024, 4, 19),
    "declaration_from": date(2024, 5, 21),
    "declaration_until": date(2025, 6, 30),
}
