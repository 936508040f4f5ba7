"""The columns of a list of dossiers: what each is called, and what it says of a dossier.

A cell is a text, a whole number, `Euros`, a day, an instant, or None. Which format it takes is its writer's.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from phonenumbers import NumberParseException

from accounts.models import Civility, User
from applications.expenses import spoken_expenses
from applications.fields import spoken_phone
from applications.forms import EMPTY, spoken
from applications.models import FormVersion, Question
from applications.rules import total_of
from applications.states import Desk, State, Step
from ecare.clock import PARIS
from ecare.french import NBSP, megabytes
from exports.readers import CONTACT_FIELDS, Chunk, Forms, Record, Sent
from exports.rules import bank_keys, may_read_bank_details
from funding.models import Decision


class Euros(NamedTuple):
    cents: int


Cell = str | int | Euros | date | datetime | None


@dataclass(frozen=True)
class Column:
    heading: str
    read: Callable[[Record, Chunk], Cell]


STEPS = {Step.CANDIDATURE: "Candidature", Step.DECLARATION: "Déclaration"}
REACHED = {
    State.ACCEPTED: "Candidature acceptée le",
    State.REJECTED: "Candidature rejetée le",
    State.CONVENTION_SIGNED: "Convention enregistrée le",
    State.DECLARATION_OPEN: "Déclaration ouverte le",
    State.UNDER_CONTROL: "Déclaration passée à l’ANS le",
    State.VALIDATED: "Déclaration validée le",
    State.DECLARATION_REJECTED: "Déclaration rejetée le",
    State.PAID: "Versée le",
    State.WITHDRAWN: "Retirée le",
    State.ABANDONED: "Abandonnée le",
}
CONTACT_LABELS = dict(
    zip(CONTACT_FIELDS, ("civilité", "nom", "prénom", "fonction", "adresse e-mail", "téléphone"), strict=True)
)


def columns(forms: Forms, user: User) -> list[Column]:
    """Those of the dossier, then one for each question of the forms that were sent."""
    found = [*_of_dossier(), *_of_sendings(), *_of_money(), *_of_contacts()]
    if may_read_bank_details(user):
        found.append(Column("Coordonnées bancaires confirmées depuis", _bank_details))
    return [*found, *_of_answers(forms, user)]


# --- the dossier --------------------------------------------------------------------------------------------------
def _of_dossier() -> list[Column]:
    def of(heading: str, read: Callable) -> Column:
        return Column(heading, lambda record, _: read(record.application))

    def entity(heading: str, name: str) -> Column:
        return of(heading, lambda dossier: getattr(dossier.establishment.legal_entity, name))

    return [
        of("Référence", lambda dossier: dossier.reference),
        of("Domaine", lambda dossier: dossier.domain.name),
        of("Étape", lambda dossier: STEPS[Step(dossier.step)]),
        of("État", lambda dossier: dossier.reviewer_label),
        of("Dans cet état depuis le", lambda dossier: dossier.moved_at),
        of("Établissement", lambda dossier: dossier.establishment.name),
        of("Type d’établissement", lambda dossier: dossier.establishment.get_kind_display()),
        of("Région", lambda dossier: dossier.establishment.region.name),
        of("ARS", lambda dossier: dossier.establishment.region.ars),
        of("Code GHT", lambda dossier: dossier.establishment.ght.code if dossier.establishment.ght else None),
        of("Intitulé du GHT", lambda dossier: dossier.establishment.ght.name if dossier.establishment.ght else None),
        entity("FINESS EJ", "finess"),
        entity("Raison sociale", "name"),
        entity("SIREN", "siren"),
        entity("Statut juridique", "legal_status_label"),
        entity("Adresse", "address"),
        entity("Code postal", "postcode"),
        entity("Commune", "town"),
        of("Département", lambda dossier: _text(dossier.establishment.legal_entity.department)),
        of("Établissement fermé, constaté le", lambda dossier: dossier.establishment.closed_on),
        of("Référent, civilité", lambda dossier: dossier.referent.get_civility_display()),
        of("Référent, nom", lambda dossier: dossier.referent.last_name),
        of("Référent, prénom", lambda dossier: dossier.referent.first_name),
        of("Référent, adresse e-mail", lambda dossier: dossier.referent.email),
        of("Référent, téléphone", lambda dossier: _phone(str(dossier.referent.phone or ""))),
        of("Candidature commencée le", lambda dossier: dossier.created_at),
        of("Convention signée le", lambda dossier: dossier.convention_signed_on),
        of("Convention déposée le", lambda dossier: getattr(getattr(dossier, "convention", None), "recorded_at", None)),
    ]


def _text(thing) -> str | None:
    return None if thing is None else str(thing)


def _phone(number: str) -> str | None:
    """As it is written abroad; one that is none, as it was typed: a cell never stops a list."""
    try:
        return spoken_phone(number) if number else None
    except NumberParseException:
        return number


# --- its life -----------------------------------------------------------------------------------------------------
def _of_sendings() -> list[Column]:
    found = [Column(heading, _reached(state)) for state, heading in REACHED.items()]
    for step, label in STEPS.items():
        found += [
            Column(f"{label}, premier envoi le", _of_step(step, lambda sent: sent.first_at)),
            Column(f"{label}, dernier envoi le", _of_step(step, lambda sent: sent.at)),
            Column(f"{label}, nombre d’envois", _of_step(step, lambda sent: sent.count)),
            Column(f"{label}, empreinte SHA-256 du dernier envoi", _of_step(step, lambda sent: sent.digest)),
        ]
    return [
        *found,
        *(Column(f"Suivi par ({label})", _followed(desk)) for desk, label in Desk.choices),
        Column("Demandes de modification", lambda record, _: len(record.requests)),
        Column("Dernière demande de modification le", lambda record, _: _last_request(record, "at")),
        Column("Dernière demande de modification, échéance", lambda record, _: _last_request(record, "due_on")),
        Column("Dernière demande de modification, message", lambda record, _: _last_request(record, "message")),
    ]


def _reached(state: str) -> Callable[[Record, Chunk], Cell]:
    return lambda record, _: record.reached.get(state)


def _of_step(step: str, read: Callable[[Sent], Cell]) -> Callable[[Record, Chunk], Cell]:
    return lambda record, _: read(record.sent[step]) if step in record.sent else None


def _followed(desk: str) -> Callable[[Record, Chunk], Cell]:
    return lambda record, _: _text(record.followed_by.get(desk))


def _last_request(record: Record, name: str):
    return getattr(record.requests[-1], name) if record.requests else None


# --- money and people ---------------------------------------------------------------------------------------------
def _of_money() -> list[Column]:
    return [
        Column("Activité combinée (journées)", lambda record, _: record.ceiling.days if record.ceiling else None),
        Column("Plafond", lambda record, _: Euros(record.ceiling.cents) if record.ceiling else None),
        Column("Montant demandé", _requested),
        Column("Dépenses déclarées", _declared),
        _of("commitment", "Montant engagé", lambda commitment: Euros(commitment.amount)),
        _of("commitment", "Engagé le", lambda commitment: commitment.at),
        _of("commitment", "Engagement libéré le", lambda commitment: commitment.released_at),
        _of("decision", "Dépenses retenues", _accepted),
        _of("decision", "Montant décidé", lambda decision: Euros(decision.amount)),
        _of("decision", "Montant décidé le", lambda decision: decision.validated_at),
        _of("decision", "Montant décidé par", lambda decision: str(decision.validated_by)),
        _of("payment", "Montant versé", lambda payment: Euros(payment.amount)),
        _of("payment", "Date du virement", lambda payment: payment.paid_on),
        _of("payment", "Référence du virement", lambda payment: payment.reference),
        _of("payment", "Versement enregistré le", lambda payment: payment.recorded_at),
        _of("payment", "Versement enregistré par", lambda payment: str(payment.recorded_by)),
    ]


def _of(name: str, heading: str, read: Callable[[Any], Cell]) -> Column:
    """Of the commitment, the decision or the payment of a dossier; empty where there is none."""

    def of(record: Record, _: Chunk) -> Cell:
        found = getattr(record, name)
        return None if found is None else read(found)

    return Column(heading, of)


def _accepted(decision: Decision) -> Cell:
    """Nothing where the domain pays a lump sum and nobody said a total."""
    return None if decision.accepted is None else Euros(decision.accepted)


def _requested(record: Record, _: Chunk) -> Cell:
    """What the candidature asks for, as last sent; nothing where its form asks for no amount."""
    return Euros(record.application.requested) if record.application.requested else None


def _declared(record: Record, chunk: Chunk) -> Cell:
    """The lines of expenses of the declaration, as last sent."""
    sent = record.sent.get(Step.DECLARATION)
    if sent is None:
        return None
    asked = chunk.questions_of(sent).values()
    lists = [sent.answers.get(one.key) for one in asked if one.kind == Question.Kind.EXPENSES]
    return Euros(sum(total_of(lines) for lines in lists if lines)) if any(lists) else None


def _of_contacts() -> list[Column]:
    return [
        Column(f"{label}, {CONTACT_LABELS[name]}", _contact(role, name))
        for role, label in Question.ContactRole.choices
        for name in CONTACT_FIELDS
    ]


def _contact(role: str, name: str) -> Callable[[Record, Chunk], Cell]:
    def read(record: Record, _: Chunk) -> Cell:
        value = record.contacts.get(role, {}).get(name) or ""
        if name == "civility":
            return dict(Civility.choices).get(value, value)
        return _phone(value) if name == "phone" else value

    return read


def _bank_details(record: Record, chunk: Chunk) -> Cell:
    """Those that the ANS confirmed after acceptance; what was sent stands in its own columns."""
    sent, details = record.sent.get(Step.CANDIDATURE), record.bank_details
    if sent is None or details is None:
        return None
    asked = chunk.questions_of(sent)
    known = [(asked[key], value) for key, value in details.values.items() if key in asked]
    return "\n".join(f"{question.label}{NBSP}: {spoken(question, value)}" for question, value in known)


# --- answers ------------------------------------------------------------------------------------------------------
def _of_answers(forms: Forms, user: User) -> list[Column]:
    """One by step and key, in the order of the forms; called as its latest version calls it."""
    latest: dict[tuple[str, str], tuple[FormVersion, Question]] = {}
    withheld = set()
    for step in STEPS:
        for version, questions in forms.of(step):
            if not may_read_bank_details(user):
                withheld |= {(step, key) for key in bank_keys(questions)}
            for question in questions:
                known = latest.setdefault((step, question.key), (version, question))
                if _is_newer(version, known[0]):
                    latest[step, question.key] = (version, question)
    kept = {place: question for place, (_, question) in latest.items() if place not in withheld}
    labels = [(step, question.label) for (step, _), question in kept.items()]
    return [
        Column(
            f"{STEPS[Step(step)]} – {question.label}{f' [{key}]' if labels.count((step, question.label)) > 1 else ''}",
            _answer(step, key),
        )
        for (step, key), question in kept.items()
    ]


def _is_newer(version: FormVersion, other: FormVersion) -> bool:
    return (version.published_at is not None, version.published_at, version.number) > (
        other.published_at is not None,
        other.published_at,
        other.number,
    )


def _answer(step: str, key: str) -> Callable[[Record, Chunk], Cell]:
    def read(record: Record, chunk: Chunk) -> Cell:
        sent = record.sent.get(step)
        if sent is None or sent.answers.get(key) in EMPTY:
            return None
        question = chunk.questions_of(sent).get(key)
        return None if question is None else cell_of(question, sent.answers[key], chunk.names)

    return read


def cell_of(question: Question, value, names: dict[str, str]) -> Cell:
    """A stored answer: numbers, amounts and days as they are, anything else as it is read on screen."""
    kind = question.kind
    if kind == Question.Kind.NUMBER:
        return value
    if kind == Question.Kind.AMOUNT:
        return Euros(value)
    if kind == Question.Kind.DATE:
        return date.fromisoformat(value)
    if kind == Question.Kind.EVIDENCE:
        files = [f"{one['name']} ({megabytes(one['size'])}, SHA-256{NBSP}: {one['sha256']})" for one in value]
        return "\n".join(files)
    if kind == Question.Kind.CHECKLIST:
        return "\n".join(
            f"{names.get(finess, 'Entité')} ({finess}){NBSP}: {f'non confirmée, {reason}' if reason else 'confirmée'}"
            for finess, reason in value.items()
        )
    return spoken_expenses(value) if kind == Question.Kind.EXPENSES else spoken(question, value)


def in_paris(instant: datetime) -> datetime:
    """What a clock in Paris shows, without a zone."""
    return instant.astimezone(PARIS).replace(tzinfo=None, microsecond=0)
