"""What a change of a domain's calendar closes, puts off or shortens for the dossiers under way; and what dates mean."""

from collections.abc import Iterator
from datetime import date, datetime

from django.db.models import Q, QuerySet

from applications.models import Application, Domain, Question
from applications.rules import Window, calendar
from applications.states import CANDIDATURE_EDITABLE, DECLARATION_EDITABLE, EDITABLE, State
from ecare.clock import paris_day
from ecare.french import paris_date

Day = date | None


def consequences(before: Domain, after: Domain, at: datetime) -> list[str]:
    """One sentence each, with how many dossiers it touches; `before` is stored, `after` is what was typed."""
    return [
        *_of_starting(before, after, at),
        *_of_sending(
            _never_sent(before, CANDIDATURE_EDITABLE, "candidature_submitted_at"),
            "candidature",
            (before.last_first_submission, after.last_first_submission),
            paris_day(at),
        ),
        *_of_sending(
            _never_sent(before, DECLARATION_EDITABLE, "declaration_submitted_at"),
            "déclaration",
            (before.declaration_until, after.declaration_until),
            paris_day(at),
        ),
        *_of_opening(before, after, at),
        *_of_expenses(before, after),
    ]


def _never_sent(domain: Domain, states, sent_at: str) -> QuerySet:
    return Application.objects.filter(domain=domain, state__in=states, **{sent_at: None})


def _of_starting(before: Domain, after: Domain, at: datetime) -> Iterator[str]:
    if calendar(before, at).candidatures == Window.OPEN and calendar(after, at).candidatures != Window.OPEN:
        yield "Les candidatures, ouvertes aujourd’hui, ferment aussitôt : plus aucune ne pourra être commencée."


def _of_sending(dossiers: QuerySet, what: str, days: tuple[Day, Day], today: date) -> Iterator[str]:
    """`days`: the last day of a first sending, before and after; None has no end."""
    before, after = days
    if after is None or (before is not None and after >= before) or (before is not None and before < today):
        return
    count = dossiers.count()
    if not count:
        return
    begun = f"{_count(count, what)} {_agree(count, 'commencée')} et jamais {_agree(count, 'transmise')}"
    if after < today:
        cannot = "ne pourront plus l’être" if count > 1 else "ne pourra plus l’être"
        yield f"{begun} {cannot} : le dernier jour, {paris_date(after)}, est passé."
    else:
        instead = f"au lieu du {paris_date(before)}" if before else "au lieu d’être sans limite"
        yield f"{begun} : à transmettre au plus tard le {paris_date(after)}, {instead}."


def _of_opening(before: Domain, after: Domain, at: datetime) -> Iterator[str]:
    if after.declaration_from is None or after.declaration_from <= paris_day(at):
        return
    if before.declaration_from is not None and before.declaration_from >= after.declaration_from:
        return
    waiting = Application.objects.filter(domain=before, state=State.CONVENTION_SIGNED).count()
    if waiting:
        signed = f"{_count(waiting, 'convention')} {_agree(waiting, 'signée')}"
        yield f"{signed} : déclaration ouverte le {paris_date(after.declaration_from)} seulement."


def _of_expenses(before: Domain, after: Domain) -> Iterator[str]:
    if after.expenses_from is None or (before.expenses_from and before.expenses_from >= after.expenses_from):
        return
    listing = Question.objects.filter(kind=Question.Kind.EXPENSES).values("section__form")
    asking = Q(candidature_form__in=listing) | Q(declaration_form__in=listing)
    count = Application.objects.filter(asking, domain=before, state__in=EDITABLE).count()
    if count:
        asked = f"{_count(count, 'dossier')} en cours de saisie {'demandent' if count > 1 else 'demande'} des dépenses"
        yield f"{asked} : celles d’avant le {paris_date(after.expenses_from)} seront refusées."


def _count(number: int, noun: str) -> str:
    return f"{number} {_agree(number, noun)}"


def _agree(number: int, word: str) -> str:
    return f"{word}s" if number > 1 else word


# --- what the dates mean ------------------------------------------------------------------------------------------
def meaning(domain: Domain) -> list[str]:
    """The calendar as its administrator reads it: what everybody may do, and until when."""
    return [_expenses(domain), _starting(domain), _sending(domain), _declaring(domain)]


def _expenses(domain: Domain) -> str:
    if domain.expenses_from is None:
        return "Les dépenses sont prises en compte sans date de début."
    return f"Les dépenses sont prises en compte à partir du {paris_date(domain.expenses_from)}."


def _starting(domain: Domain) -> str:
    if domain.candidature_from is None:
        return "Aucune candidature ne peut être commencée : le premier jour manque."
    first = f"Une candidature peut être commencée à partir du {paris_date(domain.candidature_from)}"
    return f"{first}{_until(domain.candidature_until)}."


def _sending(domain: Domain) -> str:
    last = domain.last_first_submission
    if last is None:
        return "Une candidature commencée peut être transmise sans limite de date."
    return (
        f"Une candidature commencée peut être transmise pour la première fois{_until(last)} ; ensuite elle n’est plus "
        "que lue. Transmise une fois, elle peut encore être corrigée si l’ARS le demande."
    )


def _declaring(domain: Domain) -> str:
    opening = (
        "dès la convention signée"
        if domain.declaration_from is None
        else f"à partir du {paris_date(domain.declaration_from)}, une fois la convention signée"
    )
    return f"La déclaration s’ouvre {opening}. Elle peut être transmise pour la première fois" + (
        f"{_until(domain.declaration_until)}." if domain.declaration_until else " sans limite de date."
    )


def _until(day: Day) -> str:
    return f", jusqu’au {paris_date(day)} à 23 h 59 (heure de Paris)" if day else ", sans limite de date"
