"""What is said under an answer: of an IBAN its bank, of an amount the ceiling, of a list of entities their share."""

from collections.abc import Iterable

from applications.fields import bank_of, is_of_another_bank
from applications.models import Application, Question
from applications.money import Ceiling, ceiling
from ecare import french


def ceiling_for(application: Application, questions: Iterable[Question]) -> Ceiling | None:
    """The ceiling of a dossier, read only when a note of these questions needs it."""
    needed = any(question.kind == Question.Kind.AMOUNT or question.activity_share for question in questions)
    return ceiling(application.domain, application.establishment) if needed else None


def note_of(question: Question, value, ceiling: Ceiling | None = None, *, iban: str = "") -> str:
    """One or two sentences, or nothing. `iban`: the account that the same form names."""
    if question.kind == Question.Kind.IBAN and value:
        bank = bank_of(value)
        return f"Banque : {bank.rstrip('.')}" if bank else "Banque non reconnue : vérifiez l’IBAN sur votre RIB."
    if question.kind == Question.Kind.BIC and value and iban and is_of_another_bank(value, iban):
        return (
            f"Attention : ce BIC n’est pas celui de la banque de l’IBAN ({bank_of(iban)}). "
            "Vérifiez les deux sur votre RIB."
        )
    if ceiling is not None and question.kind == Question.Kind.AMOUNT:
        return _of_amount(value, ceiling)
    if ceiling is not None and question.activity_share and value:
        return _of_share(question.activity_share, value, ceiling)
    return ""


WARNINGS = ("Attention", "Banque non reconnue", "L’activité combinée n’est pas connue")


def is_warning(note: str) -> bool:
    """Whether a note tells of something to check, rather than of something known."""
    return note.startswith(WARNINGS)


def _of_amount(cents: int | None, ceiling: Ceiling) -> str:
    limit = french.euros(ceiling.cents)
    asked = f"Montant demandé : {french.euros(cents)}. " if cents else ""
    if cents and cents > ceiling.cents:
        return (
            f"Attention : ce montant, {french.euros(cents)}, dépasse le plafond de l’établissement ({limit}). "
            "Le financement ne dépassera pas ce plafond."
        )
    return f"{asked}Plafond de l’établissement : {limit}."


def _of_share(wanted: int, reasons: dict[str, str], ceiling: Ceiling) -> str:
    """`reasons`: by FINESS number, empty for an entity that is confirmed."""
    share = ceiling.share_of(finess for finess, reason in reasons.items() if not reason)
    if share is None:
        return "L’activité combinée n’est pas connue : la part des entités confirmées ne se calcule pas."
    left_out = f" Activité non connue, non comptée : {_names(ceiling)}." if ceiling.unknown else ""
    if share < wanted:
        return (
            f"Attention : les entités confirmées représentent {share} % de l’activité combinée, "
            f"{wanted} % sont demandés. Confirmez aussi les autres entités qui remplissent la condition.{left_out}"
        )
    return f"Les entités confirmées représentent {share} % de l’activité combinée, {wanted} % sont demandés.{left_out}"


def _names(ceiling: Ceiling) -> str:
    return ", ".join(entity.name for entity in ceiling.unknown)
