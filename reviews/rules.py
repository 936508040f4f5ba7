"""What the law says of a decision: whom it writes to, and which day a convention may bear."""

from datetime import date, datetime

from accounts.models import User
from applications.models import Application
from applications.rules import declarations_may_open, may_now, readers_of, transitions_of
from applications.states import State, Step
from ecare.clock import paris_day
from ecare.journal.models import Entry

CONVENTION_FORMATS = ["pdf"]
CONVENTION_MAX_BYTES = 10 * 1024 * 1024


def recipients(application: Application, verb: str, *, at: datetime) -> list[User]:
    """Who gets a letter if the verb is used now: what the page says before the click."""
    if verb == "send_back":
        return readers_of(application, state=State.DECLARATION_SUBMITTED)
    if verb == "sign_convention" and not _declaration_would_open(application, at):
        return []
    if verb == "accept" and application.state == State.DECLARATION_SUBMITTED:
        return [application.referent, *readers_of(application, state=State.UNDER_CONTROL)]
    if verb == "reopen":
        desk = State.SUBMITTED if application.state == State.REJECTED else State.UNDER_CONTROL
        return [application.referent, *readers_of(application, state=desk)]
    return [application.referent]


def _declaration_would_open(application: Application, at: datetime) -> bool:
    """Whether recording the convention would open the declaration at once."""
    domain = application.domain
    return declarations_may_open(domain, at) and domain.forms.latest_published(Step.DECLARATION) is not None


def is_for_another_desk(user, verb: str, application: Application) -> bool:
    """Whether the verb may be used now, but not by this person (403 rather than 409)."""
    here = [t for t in transitions_of(application, verb) if t.source == application.state]
    return bool(here) and not may_now(user, verb, application)


def accepted_on(application: Application) -> date | None:
    """The Paris day on which the candidature was accepted, as the journal tells it."""
    accepted = Entry.objects.filter(subject=application.subject, verb="accept", to_state=State.ACCEPTED)
    entry = accepted.order_by("-sequence").first()
    return paris_day(entry.at) if entry else None


def convention_day_fault(application: Application, day: date, at: datetime) -> str:
    """Why a convention cannot have been signed that day; empty when it can."""
    if day > paris_day(at):
        return "Cette date est dans le futur : indiquez le jour où la convention a été signée."
    accepted = accepted_on(application)
    if accepted is not None and day < accepted:
        return "Cette date précède l’acceptation de la candidature : vérifiez le jour et l’année."
    return ""
