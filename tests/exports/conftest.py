"""Dossiers that were really sent, with an answer of every kind; what a worker makes of an export, read back."""

import hashlib
from datetime import date

import pytest
from django.utils import timezone

from applications.actions import accept as accept_dossier
from applications.actions import request_changes, save_answers, sign_convention, submit
from applications.models import Application, Bracket
from applications.states import Step
from demo.ole import zed_bytes
from demo.specimens import pdf
from establishments.models import Activity
from evidence.vault import open_named
from exports import actions, builders
from exports.models import Export
from funding.models import Commitment, Decision, ExpenseVerdict, ObjectiveVerdict, Payment
from tests.evidence.conftest import put_in
from tests.factories import ApplicationFactory, DomainFactory, FormFactory, RegionFactory, UserFactory

YES_NO = [["oui", "Oui, tout à fait"], ["non", "Non"]]
FILES = {"kind": "evidence", "formats": ["pdf"], "max_megabytes": 1, "max_files": 3}
CANDIDATURE = [
    {"key": "titulaire", "kind": "text", "label": "Titulaire du compte"},
    {"key": "iban", "kind": "iban", "label": "IBAN"},
    {"key": "bic", "kind": "bic", "label": "BIC"},
    {"key": "rib", "label": "RIB"} | FILES,
]
QUESTIONS = [
    {"key": "dsi-nom", "kind": "text", "label": "Nom", "contact_role": "dsi", "contact_field": "last_name"},
    {"key": "rssi-nom", "kind": "text", "label": "Nom", "contact_role": "rssi", "contact_field": "last_name"},
    {"key": "dsi-civ", "kind": "civility", "label": "Civilité", "contact_role": "dsi", "contact_field": "civility"},
    {"key": "precisions", "kind": "long_text", "label": "Précisions"},
    {"key": "postes", "kind": "number", "label": "Postes de travail"},
    {"key": "montant", "kind": "amount", "label": "Montant demandé à l’ANS"},
    {"key": "jour", "kind": "date", "label": "Date du comité"},
    {"key": "courriel", "kind": "email", "label": "Adresse"},
    {"key": "telephone", "kind": "phone", "label": "Téléphone"},
    {"key": "prerequis", "kind": "choice", "label": "Prérequis", "choices": YES_NO},
    {"key": "outils", "kind": "choices", "label": "Outils", "choices": [["a", "Annuaire"], ["s", "Sauvegarde"]]},
    {"key": "engagement", "kind": "checkbox", "label": "Engagement"},
    {"key": "siret", "kind": "siret", "label": "SIRET"},
    {"key": "entites", "kind": "checklist", "label": "Entités"},
    {"key": "pieces", "label": "Pièces"} | FILES | {"formats": ["pdf", "zed"], "max_megabytes": 5},
    {"key": "vide", "kind": "text", "label": "Sans réponse"},
]
DECLARATION = [
    {"key": "depenses", "kind": "expenses", "label": "Dépenses"},
    {"key": "objectif", "kind": "checkbox", "label": "Objectif atteint"},
]
ANSWERS = {
    "dsi-nom": "Lenoir",
    "rssi-nom": "=cmd|' /C calc'!A0",
    "dsi-civ": "madame",
    "precisions": "- une puce\n- une autre",
    "postes": 1250,
    "montant": 700_050,
    "jour": "2026-11-02",
    "courriel": "dsi@exemple.fr",
    "telephone": "+33467336733",
    "prerequis": "oui",
    "outils": ["a", "s"],
    "engagement": True,
    "siret": "26340016200018",
}
DAY = date(2026, 11, 2)
BANK = {"titulaire": "@CH de la Ville", "iban": "FR7630006000011234567890189", "bic": "AGRIFRPP"}
EXPENSES = [
    {"date": "2026-01-15", "supplier": "Audit SA", "label": "Audit", "amount": 1_250_050},
    {"date": "2026-02-20", "supplier": "+Sauve", "label": "Baie", "amount": 100_000},
]


@pytest.fixture
def ans(db):
    return UserFactory(ans=True, last_name="Vidal")


@pytest.fixture
def ars(db):
    return UserFactory(ars=True, regions=[RegionFactory(code="76")])


def optional(questions):
    return [{"is_required": False} | question for question in questions]


def domain_of_all_kinds(**fields):
    """Two sections in its candidature: the account, then everything else."""
    domain = DomainFactory(**fields)
    form = FormFactory(domain=domain, questions=optional(QUESTIONS))
    account = form.sections.create(position=2, title="Compte bancaire")
    for position, fields in enumerate(optional(CANDIDATURE), start=1):
        account.questions.create(position=position, **fields)
    FormFactory(domain=domain, step=Step.DECLARATION, questions=optional(DECLARATION))
    for kind in ("ght", "public", "private"):
        Bracket.objects.create(domain=domain, kind=kind, days_from=0, ceiling=5_000_000)
    return domain


def now(application):
    return Application.objects.get(pk=application.pk)


def send(application, values):
    application = now(application)
    save_answers(application, by=application.referent, values=values, at=timezone.now())
    return submit(now(application), by=application.referent, version=application.version, at=timezone.now())


def sent_dossier(domain, *, referent=None, container=False, **answers):
    """A candidature that was sent, with its files."""
    fields = {"referent": referent} if referent else {}
    form = domain.forms.get(step=Step.CANDIDATURE)
    application = ApplicationFactory(domain=domain, candidature_form=form, **fields)
    Activity.objects.create(legal_entity=application.establishment.legal_entity, year=2023, days=120_000)
    entity = application.establishment.entities().get()
    put_in(application, pdf(line=f"RIB {application.reference}"), "RIB été.pdf", "rib")
    put_in(application, pdf(line=f"pièce {application.reference}"), "Pièce n°1.pdf", "pieces")
    if container:
        put_in(application, zed_bytes(content=application.reference.encode()), "preuves.zed", "pieces")
    send(application, BANK | ANSWERS | {"entites": {entity.finess: "Site fermé"}} | answers)
    return now(application)


def declared(application, *, ars, ans):
    """The same once it was corrected, accepted, signed and declared."""
    request_changes(now(application), by=ars, version=now(application).version, message="Le RIB est illisible.")
    send(application, {"precisions": "Corrigé"})
    accept_dossier(now(application), by=ars, version=now(application).version)
    day = timezone.localdate()
    sign_convention(now(application), by=ans, version=now(application).version, signed_on=day, at=timezone.now())
    send(application, {"depenses": EXPENSES, "objectif": True})
    return now(application)


def with_money(application, *, ans, is_validated=True, is_paid=True):
    """Rows of money, as the verbs would write them: two expenses read, one of them accepted in part."""
    at, sending = timezone.now(), application.submissions.order_by("pk").last()
    Commitment.objects.create(application=application, amount=700_050, ceiling=5_000_000, rule="requested", at=at)
    validated = {"validated_by": ans, "validated_at": at} if is_validated else {}
    decision = Decision.objects.create(
        application=application,
        submission=sending,
        ceiling=5_000_000,
        floor=0,
        rule="accepted_expenses",
        accepted=1_000_000,
        amount=987_654,
        by=ans,
        at=at,
        **validated,
    )
    ObjectiveVerdict.objects.create(decision=decision, code="D1.O1", is_reached=True, remark="Bien documenté.")
    for rank, (outcome, amount, reason) in enumerate([("reduced", 900_000, "Hors taxes."), ("accepted", 100_000, "")]):
        line = EXPENSES[rank]
        read = {"key": "depenses", "rank": rank, "digest": "0" * 64, "line": line, "declared": line["amount"]}
        ExpenseVerdict.objects.create(decision=decision, outcome=outcome, amount=amount, reason=reason, **read)
    if is_paid:
        transfer = {"paid_on": DAY, "reference": "VIR-2026-042", "recorded_by": ans, "recorded_at": at}
        Payment.objects.create(application=application, amount=987_654, **transfer)
    return decision


def asked(kind, *, by, what="etat=tous", label="Vue"):
    return actions.ask(kind, what=what, label=label, by=by, at=timezone.now())


def built(kind, *, by, what="etat=tous") -> Export:
    export = asked(kind, by=by, what=what)
    assert builders.build()
    export = Export.objects.get(pk=export.pk)
    assert export.state == Export.State.READY, export.error
    return export


def content_of(export) -> bytes:
    with open_named(export.storage_name) as reader:
        content = reader.read()
    assert len(content) == export.size
    assert hashlib.sha256(content).hexdigest() == export.sha256
    return content
