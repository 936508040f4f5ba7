"""Thousands of dossiers that were sent, made in bulk: for tests of size and the benchmark."""

import hashlib
from datetime import UTC, datetime

from applications.models import Application, Domain, Submission
from applications.states import State, Step
from ecare.journal.models import Entry
from establishments.models import Activity, Establishment, LegalEntity
from tests.factories import DomainFactory, FormFactory, RegionFactory, UserFactory, finess

AT = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
QUESTIONS = [
    {"key": "iban", "kind": "iban", "label": "IBAN"},
    {"key": "montant", "kind": "amount", "label": "Montant"},
    {"key": "jour", "kind": "date", "label": "Jour"},
    {"key": "telephone", "kind": "phone", "label": "Téléphone"},
    {"key": "entites", "kind": "checklist", "label": "Entités"},
    *({"key": f"texte-{rank}", "kind": "text", "label": f"Texte {rank}"} for rank in range(15)),
    *({"key": f"choix-{rank}", "kind": "choice", "label": "Choix", "choices": [["oui", "Oui"]]} for rank in range(10)),
]
EXPENSES = {"key": "depenses", "kind": "expenses", "label": "Dépenses"}


def domain_of_many() -> Domain:
    domain = DomainFactory()
    for step, questions in ((Step.CANDIDATURE, QUESTIONS), (Step.DECLARATION, [*QUESTIONS, EXPENSES])):
        FormFactory(domain=domain, step=step, questions=[{"is_required": False} | one for one in questions])
    return domain


def many_dossiers(count: int, *, domain: Domain | None = None, has_history: bool = True) -> Domain:
    """Each of an establishment of its own, with both steps sent and five entries of history."""
    domain = domain or domain_of_many()
    region, referent = RegionFactory(), UserFactory()
    first = LegalEntity.objects.count()
    numbers = [finess("75", first + rank) for rank in range(count)]
    entities = LegalEntity.objects.bulk_create(
        LegalEntity(finess=number, name=f"CLINIQUE {number}", town="PARIS", legal_status="73", search_text=number)
        for number in numbers
    )
    Activity.objects.bulk_create(Activity(legal_entity=one, year=2023, days=9_000) for one in entities)
    establishments = Establishment.objects.bulk_create(
        Establishment(kind="private", legal_entity=one, region=region, name=one.name, search_text=one.finess)
        for one in entities
    )
    forms = {form.step: form for form in domain.forms.all()}
    dossiers = Application.objects.bulk_create(
        Application(
            domain=domain,
            establishment=establishment,
            referent=referent,
            state=State.UNDER_CONTROL,
            candidature_form=forms[Step.CANDIDATURE],
            declaration_form=forms[Step.DECLARATION],
            created_at=AT,
            moved_at=AT,
            sendings=2,
            requested=12_345_678,
            candidature_submitted_at=AT,
            declaration_submitted_at=AT,
            convention_signed_on=AT.date(),
        )
        for establishment in establishments
    )
    Submission.objects.bulk_create(_sendings(dossiers, referent), batch_size=500)
    if has_history:
        Entry.objects.bulk_create(_history(dossiers), batch_size=2000)
    return domain


def _sendings(dossiers, referent):
    for dossier in dossiers:
        for step in Step:
            content = {"form": 1, "answers": _answers(dossier)}
            if step == Step.DECLARATION:
                line = {"date": "2026-01-15", "supplier": "Audit SA", "label": "Audit", "amount": 1_250_050}
                content["answers"]["depenses"] = [line] * 3
            yield Submission(
                application=dossier, step=step, number=1, at=AT, by=referent, content=content, digest="0" * 64
            )


def _answers(dossier) -> dict:
    noise = hashlib.sha256(dossier.reference.encode()).hexdigest()  # so that nothing compresses to nothing
    return {
        "iban": "FR7630006000011234567890189",
        "montant": 12_345_678,
        "jour": "2026-11-02",
        "telephone": "+33467336733",
        "entites": {dossier.establishment.legal_entity.finess: ""},
        **{f"texte-{rank}": f"{noise} {rank}, de l’établissement" for rank in range(15)},
        **{f"choix-{rank}": "oui" for rank in range(10)},
    }


def _history(dossiers):
    states = ("submitted", "accepted", "convention_signed", "declaration_submitted", "under_control")
    for dossier in dossiers:
        for sequence, state in enumerate(states, start=1):
            yield Entry(
                subject=dossier.subject,
                sequence=sequence,
                at=AT,
                verb="accept",
                actor="system",
                actor_label="eCaRE",
                to_state=state,
                previous="0" * 64,
                digest="0" * 64,
            )
