"""What the law of a dossier says: who may act, until when, and whether a step is complete."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

import rules
from django.db.models import Q

from accounts.models import User
from applications.models import Application, ChangeRequest, Domain, FormVersion, Question, values_of
from applications.states import (
    AWAITS_ANS,
    AWAITS_ARS,
    CANDIDATURE_EDITABLE,
    DECLARATION_EDITABLE,
    FROM_ACCEPTANCE,
    Desk,
    State,
    Step,
)
from ecare.clock import paris_day
from establishments.models import Establishment


# --- who: the names that the transitions carry ------------------------------------------------------------------
@rules.predicate
def is_referent_of(user, application):
    return application is not None and user is not None and application.referent_id == user.pk


@rules.predicate
def is_reviewer_of_region(user, application):
    return (
        application is not None
        and user is not None
        and user.is_ars
        and application.establishment.region_id in user.region_codes
    )


@rules.predicate
def is_ans(user, application):
    return user is not None and user.is_ans


@rules.predicate
def is_system(user, application):
    """No person at all: a worker."""
    return user is None


@rules.predicate
def is_colleague_of_referent(user, application):
    return (
        application is not None
        and user is not None
        and user.is_referent
        and user.establishment_id == application.establishment_id
        and user.pk != application.referent_id
    )


@rules.predicate
def is_of_desk_that_asked(user, application):
    """Of the desk whose change request waits for an answer."""
    if application is None or user is None or not user.is_reviewer:
        return False
    return application.change_requests.open().filter(desk=Desk.of(user)).exists()


@rules.predicate
def is_active(user, application):
    return user is not None and user.is_active


rules.add_rule("act_as_referent", is_active & is_referent_of)
rules.add_rule("act_as_ars", is_active & is_reviewer_of_region)
rules.add_rule("act_as_ans", is_active & is_ans)
rules.add_rule("act_as_asker", is_active & (is_reviewer_of_region | is_ans) & is_of_desk_that_asked)
rules.add_rule("act_as_system", is_system)
rules.add_rule("request_take_over", is_active & is_colleague_of_referent)
rules.add_rule("report_patient_data", is_active & (is_reviewer_of_region | is_ans))
rules.add_rule("give_extension", is_active & is_ans)
rules.add_rule("decide_take_over", is_active & (is_reviewer_of_region | is_ans))


def transitions_of(application: Application, verb: str):
    """Every transition (one per source state) that bears this verb's name."""
    found = application.get_all_state_transitions()  # type: ignore[attr-defined] # put there by FSMField
    return [t for t in found if t.name == verb]


def readers_of(application: Application, *, state: str | None = None) -> list[User]:
    """The agents on whose desk the dossier lies, or would lie in `state`: the ARS of its region, the ANS, or nobody."""
    state = state or application.state
    agents = User.objects.filter(is_active=True).order_by("last_name", "pk")
    if state in AWAITS_ARS:
        return list(agents.filter(role=User.Role.ARS, regions=application.establishment.region_id))
    if state in AWAITS_ANS:
        return list(agents.filter(role=User.Role.ANS))
    return []


def may(user, verb: str, application: Application) -> bool:
    """Whether this person could use the verb on this dossier in some state (if not: 403)."""
    return any(rules.test_rule(t.permission, user, application) for t in transitions_of(application, verb))


def may_update_contacts(application: Application) -> bool:
    """At any stage: before, between and after the sendings; not once the dossier has ended early."""
    return application.state not in (State.WITHDRAWN, State.ABANDONED)


def may_change_bank_details(application: Application) -> bool:
    """Between acceptance, before which the form does it, and the payment."""
    return application.state in FROM_ACCEPTANCE


def has_bank_details_page(application: Application) -> bool:
    """Once paid, what was decided may still be read."""
    return may_change_bank_details(application) or application.state == State.PAID


def has_convention_page(application: Application) -> bool:
    """From acceptance on; once signed, what led to it may still be read."""
    return application.state in FROM_ACCEPTANCE or application.state == State.PAID


def may_change_hands(application: Application) -> bool:
    """A colleague must be able to take over a dossier that is over, too; a withdrawn one leaves its place free."""
    return application.state != State.WITHDRAWN


def alerted_of(establishment: Establishment) -> list[User]:
    """Who is told that an establishment with dossiers under way has closed: the ARS of its region, and the ANS."""
    its_own = Q(role=User.Role.ARS, regions=establishment.region_id) | Q(role=User.Role.ANS)
    return list(User.objects.filter(its_own, is_active=True).order_by("last_name", "pk").distinct())


def deciders_of(application: Application) -> list[User]:
    """Who is asked to decide on a take-over: the ARS of the region, or the ANS where the ARS has no agent."""
    agents = User.objects.filter(is_active=True).order_by("last_name", "pk")
    of_region = list(agents.filter(role=User.Role.ARS, regions=application.establishment.region_id))
    return of_region or list(agents.filter(role=User.Role.ANS))


def may_now(user, verb: str, application: Application) -> bool:
    """Whether this person may use the verb on this dossier as it stands: what decides if a button is shown."""
    return any(
        t.source == application.state and rules.test_rule(t.permission, user, application)
        for t in transitions_of(application, verb)
    )


# --- until when -------------------------------------------------------------------------------------------------
def later(last: date | None, extended: date | None) -> date | None:
    """A last day, or that of an extension if it is later; no end stays none."""
    return max(last, extended) if last is not None and extended is not None else last


def may_start(domain: Domain, at: datetime, *, extended: date | None = None) -> bool:
    """Candidatures may be started from the first to the last day, Paris time; `extended`: the establishment's own."""
    day, last = paris_day(at), later(domain.candidature_until, extended)
    if domain.candidature_from is None or day < domain.candidature_from:
        return False
    return last is None or day <= last


class Window(StrEnum):
    """Where a day stands against a first and a last day."""

    UNSET = "unset"
    BEFORE = "before"
    OPEN = "open"
    CLOSED = "closed"


def window(day: date, first: date | None, last: date | None) -> Window:
    if first is None and last is None:
        return Window.UNSET
    if first is not None and day < first:
        return Window.BEFORE
    return Window.OPEN if last is None or day <= last else Window.CLOSED


@dataclass(frozen=True)
class Calendar:
    """What a domain's dates mean on a Paris day: for the notices of the dashboard and of the home page. The extended
    days are those of the establishment that reads them, if it has any."""

    domain: Domain
    day: date
    candidature_extended: date | None = None
    declaration_extended: date | None = None

    @property
    def candidature_until(self) -> date | None:
        return later(self.domain.candidature_until, self.candidature_extended)

    @property
    def declaration_until(self) -> date | None:
        return later(self.domain.declaration_until, self.declaration_extended)

    @property
    def is_candidature_extended(self) -> bool:
        return self.candidature_until != self.domain.candidature_until

    @property
    def is_declaration_extended(self) -> bool:
        return self.declaration_until != self.domain.declaration_until

    @property
    def candidatures(self) -> Window:
        if self.domain.candidature_from is None:
            return Window.UNSET
        return window(self.day, self.domain.candidature_from, self.candidature_until)

    @property
    def declarations(self) -> Window:
        """Without a first day they open with each signed convention, once one may apply."""
        if self.domain.declaration_from is None:
            if self.candidatures in (Window.UNSET, Window.BEFORE):
                return Window.UNSET
            return Window.OPEN if self.declaration_until is None else window(self.day, None, self.declaration_until)
        return window(self.day, self.domain.declaration_from, self.declaration_until)

    @property
    def days_left(self) -> int | None:
        """Whole days after today in which a candidature may be started; 0 on the last day, None without end."""
        until = self.candidature_until
        return None if until is None else (until - self.day).days


def calendar(domain: Domain, at: datetime, extended: Mapping[tuple[int, str], date] | None = None) -> Calendar:
    """`extended`: the days given to an establishment (`Extension.objects.days_of`)."""
    days = extended or {}
    return Calendar(
        domain, paris_day(at), days.get((domain.pk, Step.CANDIDATURE)), days.get((domain.pk, Step.DECLARATION))
    )


def last_day(application: Application) -> date | None:
    """The last day of a first transmission of the present step; None when it was sent once, or there is no end."""
    if application.state in CANDIDATURE_EDITABLE and application.candidature_submitted_at is None:
        return later(application.domain.last_first_submission, application.candidature_extended_until)
    if application.state in DECLARATION_EDITABLE and application.declaration_submitted_at is None:
        return declaration_until(application)
    return None


def declaration_until(application: Application) -> date | None:
    """The last day of a first declaration, whatever the present step."""
    return later(application.domain.declaration_until, application.declaration_extended_until)


def is_late(application: Application, at: datetime) -> bool:
    """A step never sent is read-only once its last day is over; one sent once may still be corrected."""
    day = last_day(application)
    return day is not None and paris_day(at) > day


@dataclass(frozen=True)
class Deadline:
    """What awaits the référent of an editable dossier, and until when."""

    application: Application
    day: date | None
    today: date
    request: ChangeRequest | None = None  # what is to be corrected

    @property
    def is_late(self) -> bool:
        return self.day is not None and self.today > self.day

    @property
    def is_extended(self) -> bool:
        """The day is the establishment's own."""
        dossier = self.application
        own = (dossier.candidature_extended_until, dossier.declaration_extended_until)
        return self.day is not None and self.day == own[dossier.step == Step.DECLARATION]

    @property
    def days_left(self) -> int | None:
        """Whole days after today; 0 on the last day, None without end."""
        return None if self.day is None else (self.day - self.today).days

    @property
    def is_overdue(self) -> bool:
        """Whether the due date of the correction is over; it may still be sent."""
        return self.request is not None and self.request.due_on is not None and self.today > self.request.due_on


def deadline(application: Application, at: datetime, *, request: ChangeRequest | None = None) -> Deadline:
    return Deadline(application, last_day(application), paris_day(at), request)


def is_open_for_answers(application: Application, at: datetime) -> bool:
    return application.is_editable and not is_late(application, at)


def declarations_may_open(domain: Domain, at: datetime) -> bool:
    """At once when a convention is signed, or from the domain's day on."""
    return domain.declaration_from is None or paris_day(at) >= domain.declaration_from


def declaration_may_open(application: Application, at: datetime) -> bool:
    return application.state == State.CONVENTION_SIGNED and declarations_may_open(application.domain, at)


# --- when to remind -----------------------------------------------------------------------------------------------
DAYS_BEFORE_A_LAST_DAY = (14, 7, 2)
DAYS_AFTER_A_REQUEST = (7, 14)
DAYS_BEFORE_A_DUE_DATE = (7, 2, -1)  # the last: the day after it


class Occasion(StrEnum):
    """What a référent is reminded of."""

    FIRST_SENDING = "first sending"
    CORRECTION = "correction"
    DUE_CORRECTION = "due correction"


@dataclass(frozen=True)
class Reminder:
    """One is written per dossier, occasion, day it counts from (a last day, or that of a request) and threshold."""

    occasion: Occasion
    day: date
    threshold: int

    @property
    def is_correction(self) -> bool:
        return self.occasion != Occasion.FIRST_SENDING

    @property
    def is_due(self) -> bool:
        """Whether `day` is the due date of a correction."""
        return self.occasion == Occasion.DUE_CORRECTION

    @property
    def is_over(self) -> bool:
        return self.threshold < 0

    @property
    def key(self) -> str:
        return f"{self.occasion}:{self.day.isoformat()}:{self.threshold}"


def reminder_due(application: Application, asked: ChangeRequest | None, at: datetime) -> Reminder | None:
    """The tightest reminder that a Paris day calls for; None for who began, or was asked, after its own day.

    `asked`: the open change request, if there is one.
    """
    today = paris_day(at)
    if application.is_never_sent:
        last, began = last_day(application), paris_day(application.moved_at)
        if last is None or today > last:
            return None
        return _tightest(Occasion.FIRST_SENDING, last, DAYS_BEFORE_A_LAST_DAY, began=began, today=today)
    if asked is None or not application.is_editable:
        return None
    asked_on = paris_day(asked.at)
    if asked.due_on is not None:
        return _tightest(Occasion.DUE_CORRECTION, asked.due_on, DAYS_BEFORE_A_DUE_DATE, began=asked_on, today=today)
    reached = [n for n in DAYS_AFTER_A_REQUEST if asked_on + timedelta(days=n) <= today]
    return Reminder(Occasion.CORRECTION, asked_on, max(reached)) if reached else None


def _tightest(occasion: Occasion, day: date, thresholds, *, began: date, today: date) -> Reminder | None:
    reached = [n for n in thresholds if began < day - timedelta(days=n) <= today]
    return Reminder(occasion, day, min(reached)) if reached else None


# --- complete or not ----------------------------------------------------------------------------------------------
KIND = "@kind"
"""What a condition calls the kind of the establishment; « @ » begins no question's key."""


def facts_of(establishment: Establishment) -> dict:
    """What conditions may ask of an establishment; it stands among the values, beside the answers."""
    return {KIND: establishment.kind}


def known_of(application: Application, form: FormVersion | None = None) -> dict:
    """The same with the facts of the establishment: all that decides which questions are asked."""
    return values_of(application, form) | facts_of(application.establishment)


def is_for(question: Question, values: dict) -> bool:
    """False when the establishment rules the question out, and no answer could call it up. An establishment that is
    not among the values rules out nothing: it is unknown."""
    return KIND not in values or values[KIND] in question.shown_if.get(KIND, [values[KIND]])


def is_shown(question: Question, values: dict) -> bool:
    """A conditional question is shown when every answer that it names has one of the values it names."""
    conditions = ((key, accepted) for key, accepted in question.shown_if.items() if key != KIND)
    return is_for(question, values) and all(values.get(key) in accepted for key, accepted in conditions)


def is_answered(question: Question, value, entities: frozenset[str]) -> bool:
    """Whether a value answers the question; `entities`: the FINESS numbers that a checklist must cover."""
    if question.kind == Question.Kind.CHECKBOX:
        return value is True
    if question.kind == Question.Kind.CHECKLIST:
        return entities <= set(value or ())
    if question.kind == Question.Kind.EXPENSES:
        return bool(value) and all(all(line.values()) for line in value)
    return value not in (None, "", [], {})


def requested_of(questions: list[Question], values: dict) -> int:
    """The amount that a candidature asks for, in cents; 0 when its form asks for none."""
    amounts = [values.get(q.key) for q in questions if q.kind == Question.Kind.AMOUNT and is_shown(q, values)]
    return amounts[0] or 0 if amounts else 0


def total_of(expenses: list[dict]) -> int:
    """The sum of lines of expenses, in cents."""
    return sum(line["amount"] or 0 for line in expenses)


@dataclass(frozen=True)
class Progress:
    """How far a step is: required questions answered, and those that remain, in order."""

    required: int
    remaining: list[Question]

    @property
    def answered(self) -> int:
        return self.required - len(self.remaining)

    @property
    def percent(self) -> int:
        """Rounded down: 100 means complete."""
        return 100 * self.answered // self.required if self.required else 100

    @property
    def is_complete(self) -> bool:
        return not self.remaining


def progress(questions: list[Question], values: dict, entities: frozenset[str]) -> Progress:
    """`values` by question key. Hidden questions count neither as required nor as remaining."""
    required = [q for q in questions if q.is_required and is_shown(q, values)]
    return Progress(len(required), [q for q in required if not is_answered(q, values.get(q.key), entities)])
