"""What the law says of a decision: whom it writes to, and which day a convention may bear."""

from datetime import date, datetime

from django.db.models import Q

from accounts.models import User
from applications.models import Application
from applications.rules import may_now, readers_of, transitions_of
from applications.states import State
from ecare.clock import paris_day
from ecare.journal.models import Entry
from ecare.letters.models import Letter


def recipients(application: Application, verb: str, *, at: datetime) -> list[User]:
    """Who gets a letter if the verb is used now: what the page says before the click."""
    if verb == "send_back":
        return readers_of(application, state=State.DECLARATION_SUBMITTED)
    if verb == "accept" and application.state == State.DECLARATION_SUBMITTED:
        return [application.referent, *readers_of(application, state=State.UNDER_CONTROL)]
    if verb == "reopen":
        desk = State.SUBMITTED if application.state == State.REJECTED else State.UNDER_CONTROL
        return [application.referent, *readers_of(application, state=desk)]
    return [application.referent]


def is_for_another_desk(user, verb: str, application: Application) -> bool:
    """Whether the verb may be used now, but not by this person (403 rather than 409)."""
    here = [t for t in transitions_of(application, verb) if t.source == application.state]
    return bool(here) and not may_now(user, verb, application)


def accepted_on(application: Application) -> date | None:
    """The Paris day on which the candidature was accepted, as the journal tells it."""
    accepted = Entry.objects.filter(subject=application.subject, verb="accept", to_state=State.ACCEPTED)
    entry = accepted.order_by("-sequence").first()
    return paris_day(entry.at) if entry else None


def convention_day_faults(application: Application, first: date, last: date, at: datetime) -> dict[str, str]:
    """Why the signatures of the establishment and of the ANS cannot bear these days, by field; empty when they can."""
    days = {"establishment_signed_on": first, "signed_on": last}
    faults = {name: convention_day_fault(application, day, at) for name, day in days.items()}
    if not any(faults.values()) and last < first:
        faults["signed_on"] = "L’ANS contresigne après l’établissement : cette date précède la sienne."
    return {name: fault for name, fault in faults.items() if fault}


def convention_day_fault(application: Application, day: date, at: datetime) -> str:
    """Why a convention cannot have been signed that day; empty when it can."""
    if day > paris_day(at):
        return "Cette date est dans le futur : indiquez le jour où la convention a été signée."
    accepted = accepted_on(application)
    if accepted is not None and day < accepted:
        return "Cette date précède l’acceptation de la candidature : vérifiez le jour et l’année."
    return ""


# --- the desk -----------------------------------------------------------------------------------------------------
DECIDED = ("accept", "request_changes", "reject", "reopen", "send_back", "sign_convention", "record_payment", "abandon")


def may_examine(user, application: Application) -> bool:
    """Whether this agent has something to decide on the dossier now."""
    return any(may_now(user, verb, application) for verb in DECIDED)


def may_judge(user, application: Application) -> bool:
    """Files are read where changes may be asked: at the ARS's check, and at the ANS's control."""
    return may_now(user, "request_changes", application)


def may_be_asked(agent: User, application: Application) -> bool:
    """Whether an opinion may be asked of this agent: one who sees the dossier."""
    return agent.is_reviewer and Application.objects.visible_to(agent).filter(pk=application.pk).exists()


def may_be_resent(letter: Letter, application: Application) -> bool:
    return is_resendable(letter, concerned_by(application))


def is_resendable(letter: Letter, concerned: set[str]) -> bool:
    """A letter that left or failed, without a secret, to somebody who still has to do with the dossier."""
    if letter.carries_secret or letter.state not in (Letter.State.SENT, Letter.State.FAILED):
        return False
    return letter.recipient.casefold() in concerned


def concerned_by(application: Application) -> set[str]:
    """The mailboxes of the référent and of every agent who sees the dossier."""
    agents = User.objects.filter(_sees(application), is_active=True)
    referent = [application.referent.email] if application.referent.is_active else []
    return {email.casefold() for email in [*referent, *agents.values_list("email", flat=True)]}


def colleagues_to_ask(application: Application, *, by: User) -> list[User]:
    """The other agents who see the dossier, by desk and name."""
    agents = User.objects.filter(_sees(application), is_active=True).exclude(pk=by.pk).distinct()
    return list(agents.order_by("role", "last_name", "first_name", "pk"))


def _sees(application: Application) -> Q:
    return Q(role=User.Role.ANS) | Q(role=User.Role.ARS, regions=application.establishment.region_id)
