"""A candidature that was sent with its signatory, its account and an amount, then accepted."""

from datetime import UTC, datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from applications import actions
from applications.models import Application, Bracket
from conventions.actions import send_copy
from demo.specimens import pdf
from tests.applications.life_cycle import people
from tests.factories import ApplicationFactory, DomainFactory, EstablishmentFactory, FormFactory

SENT_AT = datetime(2026, 11, 20, 9, tzinfo=UTC)
SIGNATORY = {"civility": "madame", "first_name": "Anne", "last_name": "Roux", "job": "Directrice générale"}
QUESTIONS = [
    *(
        {
            "key": f"signatory-{field.replace('_', '-')}",
            "kind": "civility" if field == "civility" else "text",
            "contact_role": "signatory",
            "contact_field": field,
        }
        for field in SIGNATORY
    ),
    {"key": "requested", "kind": "amount", "is_required": False},
]
BANK = [
    {"key": "holder", "kind": "text"},
    {"key": "iban", "kind": "iban"},
    {"key": "bic", "kind": "bic"},
]
ACCOUNT = {"holder": "CH de la Ville", "iban": "FR7630006000011234567890189", "bic": "AGRIFRPP"}


def upload(line="Convention signée", name="Convention signée.pdf"):
    return SimpleUploadedFile(name, pdf(line=line), "application/pdf")


def now(application) -> Application:
    return Application.objects.select_related("domain").get(pk=application.pk)


def accepted_dossier(cast, *, values=None, domain=None) -> Application:
    """Sent by its owner, accepted by the ARS of its region."""
    domain = domain or DomainFactory(name="Domaine 1 Audits techniques", floor=700_000)
    Bracket.objects.get_or_create(domain=domain, kind="public", days_from=0, ceiling=5_000_000)
    form = FormFactory(domain=domain, questions=[*BANK, *QUESTIONS])
    declaration = FormFactory(domain=domain, step="declaration")
    declaration.sections.update(title="Validation de l’objectif D1.O1 – Maîtriser l’annuaire d’établissement")
    draft = ApplicationFactory(referent=cast["owner"], domain=domain, candidature_form=form)
    said = {f"signatory-{field.replace('_', '-')}": value for field, value in SIGNATORY.items()} | ACCOUNT
    said |= {"requested": 3_000_000} | (values or {})
    actions.save_answers(draft, by=cast["owner"], values=said, at=SENT_AT)
    actions.submit(draft, by=cast["owner"], version=draft.version, at=SENT_AT)
    actions.accept(draft, by=cast["ars"], version=now(draft).version)
    return now(draft)


def send(application, line="Convention signée", *, at=None):
    return send_copy(application, upload=upload(line), by=application.referent, at=at or datetime.now(UTC))


@pytest.fixture
def cast(db):
    return people(EstablishmentFactory())


@pytest.fixture
def accepted(cast):
    return accepted_dossier(cast)
