"""The verbs of a dossier. Each locks the row, checks version and state, moves it, writes the journal and the
letters: one transaction. Views call these and nothing else."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import rules as permissions
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from applications import corrections, emails, moves, rules
from applications.corrections import Named
from applications.models import (
    Answer,
    Application,
    ChangeRequest,
    Contact,
    Domain,
    Question,
    RequestedChange,
    Submission,
    TakeOverRequest,
    answers_of,
    entities_of,
    questions_of,
)
from applications.models.answers import Fate, fate_of
from applications.rules import known_of
from applications.states import Desk, State, Step
from ecare.journal.actions import SYSTEM, record
from ecare.letters.actions import cancel
from ecare.letters.models import Letter
from ecare.letters.texts import read_once


class NotNow(Exception):
    """The dossier does not allow this at present; the message is for the screen (answered 409)."""


class Incomplete(NotNow):
    """A required question is not answered."""


class AlreadyStarted(NotNow):
    """The establishment already has a dossier in this domain."""

    def __init__(self, application: Application):
        super().__init__("Votre établissement a déjà une candidature pour ce domaine.")
        self.application = application


@dataclass
class Saved:
    """How many answers changed, and those that were left as they are because the page had not seen them."""

    changed: int = 0
    conflicts: dict[str, Answer] = field(default_factory=dict)


MOVED = (
    "Le dossier a changé depuis l’affichage de cette page. "
    "Rechargez la page pour le voir tel qu’il est, puis recommencez si besoin."
)
NOT_ASKED = "Cette réponse n’est pas à modifier : la demande de modification n’en parle pas."


def lock(application: Application, *, version: int | None = None) -> Application:
    """The row, locked and read anew. Raises NotNow when the page showed another version."""
    # Alone, then with its neighbours: PostgreSQL finds no row at all when one joined to it changed while it waited,
    # as the référent does in a transfer.
    list(Application.objects.select_for_update().filter(pk=application.pk).values_list("pk"))
    locked = Application.objects.select_related(
        "domain",
        "establishment__region",
        "establishment__legal_entity",
        "establishment__ght",
        "referent",
        "candidature_form",
        "declaration_form",
    ).get(pk=application.pk)
    if version is not None and locked.version != version:
        raise NotNow(MOVED)
    return locked


def move(application: Application, verb: str, *, by: User | None, message: str = "", data=None, **arguments) -> str:
    """Run the transition `verb` on a locked row, save it, write the journal; letters still waiting that called
    somebody to act on the former state are untrue now, and go. Returns that state."""
    if not rules.may(by, verb, application):
        raise PermissionDenied
    source = application.state
    here = [t for t in rules.transitions_of(application, verb) if t.source == source]
    if not here:
        raise NotNow(
            f"Cette action n’est pas possible : le dossier est à l’état « {application.get_state_display()} »."
        )
    if not any(permissions.test_rule(t.permission, by, application) for t in here):
        raise PermissionDenied
    getattr(application, verb)(**arguments)
    application.version += 1
    application.moved_at = timezone.now()
    application.save()
    cancel(application.subject, emails.CALLS_TO_ACT)
    record(
        application.subject,
        verb,
        actor=by.actor if by else SYSTEM,
        from_state=source,
        to_state=application.state,
        message=message,
        data=data,
    )
    moves.moved(application, source=source)
    return source


def _for_readers(application: Application, write=emails.to_review, *more) -> list[Letter]:
    """To each agent whose desk the dossier has just reached."""
    with read_once():
        return [write(application, reader, *more) for reader in rules.readers_of(application)]


def _send(*letters: Letter) -> None:
    Letter.objects.bulk_create(letters)


# --- the référent -------------------------------------------------------------------------------------------------
@transaction.atomic
def start(domain: Domain, *, by: User, at: datetime) -> Application:
    """Open a draft for the person's establishment. Raises AlreadyStarted, NotNow or PermissionDenied."""
    by = User.objects.select_for_update(of=("self",)).get(pk=by.pk)  # an administrator may be moving them
    establishment = by.establishment
    if not by.is_referent or establishment is None or establishment.kind not in domain.kinds:
        raise PermissionDenied
    if establishment.closed_on is not None:
        raise NotNow("Votre établissement est fermé dans le répertoire FINESS. Écrivez à l’équipe support.")
    extended = establishment.extensions.held_for(domain, establishment)
    if not rules.may_start(domain, at, extended=extended["candidature_extended_until"]):
        raise NotNow("Les candidatures à ce domaine ne sont pas ouvertes aujourd’hui.")
    form = domain.forms.latest_published(Step.CANDIDATURE)
    if form is None:
        raise NotNow("Le formulaire de ce domaine n’est pas encore publié.")
    try:
        with transaction.atomic():
            application = Application.objects.create(
                domain=domain, establishment=establishment, referent=by, candidature_form=form, **extended
            )
            record(application.subject, "start", actor=by.actor, to_state=application.state)
    except IntegrityError:
        kept = Application.objects.in_place().filter(domain=domain, establishment=establishment).first()
        if kept is None:
            raise
        raise AlreadyStarted(kept) from None
    return application


@transaction.atomic
def save_answers(
    application: Application,
    *,
    by: User,
    values: dict[str, object],
    at: datetime,
    marks: Mapping[str, str] | None = None,
) -> Saved:
    """Keep checked values by question key (evidence excepted: the vault keeps those). `marks`, by question key: what
    the page showed; a value that would write over an answer given since elsewhere is refused, it alone."""
    application = lock(application)
    if not permissions.test_rule("act_as_referent", by, application):
        raise PermissionDenied
    if not rules.is_open_for_answers(application, at):
        raise NotNow("Ce formulaire n’est plus modifiable.")
    saved, kept, marks = Saved(), answers_of(application), marks or {}
    opening = corrections.opening_of(application)
    for question in questions_of(application.form):
        key = question.key
        if key not in values or question.is_evidence:
            continue
        if not opening.is_open(question):
            raise NotNow(NOT_ASKED)
        fate = fate_of(values[key], mark=marks.get(key), answer=kept.get(key))
        if fate == Fate.CONFLICT:
            saved.conflicts[key] = kept[key]
        elif fate == Fate.WRITE:
            saved.changed += write_answer(application, question, values[key])
    return saved


def write_answer(application: Application, question: Question, value) -> bool:
    """Keep one value on a locked dossier, through to the contact it is bound to. True when it changed."""
    answer, created = Answer.objects.get_or_create(
        application=application, question=question, defaults={"value": value}
    )
    if not created:
        if answer.value == value:
            return False
        answer.value, answer.version, answer.updated_at = value, answer.version + 1, timezone.now()
        answer.save()
    if question.contact_role:
        Contact.objects.update_or_create(
            application=application, role=question.contact_role, defaults={question.contact_field: value or ""}
        )
    return True


def _shown(questions, values: dict) -> dict:
    """What a sending freezes: the answers to the questions that are asked, and the facts that decided which are."""
    facts = {key: value for key, value in values.items() if key == rules.KIND}
    return {q.key: values[q.key] for q in questions if q.key in values and rules.is_shown(q, values)} | facts


def is_as_sent(application: Application) -> bool:
    """Whether the present step still reads as its latest sending froze it: sending it again would change nothing."""
    sent = Submission.objects.filter(application=application, step=application.step).order_by("-number").first()
    if sent is None:
        return False
    return sent.content["answers"] == _shown(questions_of(application.form), known_of(application))


def _snapshot(application: Application, *, by: User, at: datetime) -> Submission:
    """Freeze what is shown and answered. Raises Incomplete."""
    questions, values = questions_of(application.form), known_of(application)
    state = rules.progress(questions, values, entities_of(application.establishment))
    if not state.is_complete:
        raise Incomplete("Il reste des questions obligatoires sans réponse.")
    content = {
        "reference": application.reference,
        "step": application.step,
        "form": application.form.number,
        "answers": _shown(questions, values),
    }
    return freeze(application, application.step, content, by=by, at=at)


def freeze(application: Application, step: str, content: dict, *, by: User, at: datetime, **more) -> Submission:
    """The next sending of a step, with the digest of what it holds."""
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return Submission.objects.create(
        application=application,
        step=step,
        number=Submission.objects.filter(application=application, step=step).count() + 1,
        at=at,
        by=by,
        content=content,
        digest=hashlib.sha256(text.encode()).hexdigest(),
        **more,
    )


@transaction.atomic
def submit(application: Application, *, by: User, version: int, at: datetime) -> Submission:
    """Transmit the present step to whoever reads it next. Raises NotNow, Incomplete or PermissionDenied."""
    application = lock(application, version=version)
    if not rules.may(by, "submit", application):
        raise PermissionDenied
    if rules.is_late(application, at):
        raise NotNow("La date limite de premier envoi est passée : ce formulaire ne peut plus être transmis.")
    if not application.is_editable:
        raise NotNow("Ce dossier a déjà été transmis.")
    moves.check(application, "submit")
    request = application.change_requests.open().first()
    submission = _snapshot(application, by=by, at=at)
    application.sendings += 1
    if application.step == Step.CANDIDATURE:
        application.candidature_submitted_at = application.candidature_submitted_at or at
        application.requested = rules.requested_of(questions_of(application.form), known_of(application))
    else:
        application.declaration_submitted_at = application.declaration_submitted_at or at
    move(
        application,
        "submit",
        by=by,
        data={"submission": submission.number, "step": submission.step, "digest": submission.digest},
        asked_by=request.desk if request else "",
    )
    application.change_requests.open().update(answered_at=at)
    _send(emails.submitted(application, submission), *_for_readers(application))
    return submission


@transaction.atomic
def withdraw(application: Application, *, by: User, version: int) -> None:
    """Before acceptance only; the establishment may start again while candidatures may start."""
    application = lock(application, version=version)
    was_sent = application.candidature_submitted_at is not None
    move(application, "withdraw", by=by)
    application.change_requests.open().update(answered_at=timezone.now())
    for asked in TakeOverRequest.objects.open().filter(application=application).select_related("by"):
        asked.state, asked.decided_at = TakeOverRequest.State.MOOT, timezone.now()
        asked.save(update_fields=["state", "decided_at"])
        asked.application = application
        _send(emails.take_over_moot(asked))
    if was_sent:
        _send(emails.withdrawn(application))


# --- the reviewers ------------------------------------------------------------------------------------------------
@transaction.atomic
def request_changes(
    application: Application,
    *,
    by: User,
    version: int,
    message: str,
    due_on: date | None = None,
    named: Sequence[Named] = (),
) -> None:
    """Hand the step back to the référent with what is to be changed, and until when. `named`: the only questions and
    files that are then open, each with its remark; without any, the whole form is."""
    application = lock(application, version=version)
    if not rules.may(by, "request_changes", application):
        raise PermissionDenied
    if fault := corrections.fault_of(named, application):
        raise NotNow(fault)
    told = [{"question": one.key, "file": one.file, "remark": one.remark} for one in named]
    data = {"due_on": due_on.isoformat() if due_on else "", "named": told}
    source = move(application, "request_changes", by=by, message=message, data=data)
    request = ChangeRequest.objects.create(
        application=application,
        step=application.step,
        desk=Desk.ANS if source == State.UNDER_CONTROL else Desk.ARS,
        by=by,
        message=message,
        due_on=due_on,
    )
    RequestedChange.objects.bulk_create(corrections.items_for(request, named))
    _send(emails.changes_requested(application, request))


@transaction.atomic
def accept(
    application: Application, *, by: User, version: int, data: dict | None = None, told: dict | None = None
) -> None:
    """ARS: candidature accepted, or declaration complete and passed to the ANS. ANS: declaration validated.

    `data`: what the room above adds to the journal row; `told`: what it says in the letter of the validation."""
    application = lock(application, version=version)
    move(application, "accept", by=by, data=data)
    if application.state == State.UNDER_CONTROL:
        _send(emails.passed_to_ans(application), *_for_readers(application))
    elif application.state == State.VALIDATED:
        _send(emails.validated(application, **(told or {})))
    else:
        _send(emails.accepted(application))


@transaction.atomic
def reject(application: Application, *, by: User, version: int, message: str, data: dict | None = None) -> None:
    """End the step with a reason; only the ANS may reopen."""
    application = lock(application, version=version)
    move(application, "reject", by=by, message=message, data=data)
    _send(emails.rejected(application, message))


@transaction.atomic
def reopen(application: Application, *, by: User, version: int, message: str, data: dict | None = None) -> None:
    """Put a rejected dossier back on the desk that had rejected it, with a reason."""
    application = lock(application, version=version)
    move(application, "reopen", by=by, message=message, data=data)
    _send(emails.reopened(application, message), *_for_readers(application))


@transaction.atomic
def send_back(application: Application, *, by: User, version: int, message: str) -> None:
    """From the ANS's control back to the ARS's check of completeness."""
    application = lock(application, version=version)
    move(application, "send_back", by=by, message=message)
    _send(*_for_readers(application, emails.sent_back, message))


@transaction.atomic
def sign_convention(application: Application, *, by: User, version: int, signed_on: date, at: datetime) -> Application:
    """Record the signature, and open the declaration at once when the domain's calendar allows it."""
    application = lock(application, version=version)
    application.convention_signed_on = signed_on
    move(application, "sign_convention", by=by, data={"signed_on": signed_on.isoformat()})
    if rules.declaration_may_open(application, at):
        _open_declaration(application)
    if application.state == State.CONVENTION_SIGNED:  # else a letter says that the declaration is open
        _send(emails.convention_signed(application))
    return application


def _open_declaration(application: Application) -> None:
    """Bind the declaration's published form, and say so to the référent."""
    form = application.domain.forms.latest_published(Step.DECLARATION)
    if form is None:
        return
    application.declaration_form = form
    move(application, "open_declaration", by=None)
    _send(emails.declaration_opened(application))


def open_declaration(application: Application, *, at: datetime) -> bool:
    """For the worker: open one declaration whose day has come. False when it is not (or no longer) time."""
    with transaction.atomic():
        application = lock(application)
        if not rules.declaration_may_open(application, at):
            return False
        _open_declaration(application)
        return application.state == State.DECLARATION_OPEN


@transaction.atomic
def record_payment(
    application: Application, *, by: User, version: int, data: dict | None = None, told: dict | None = None
) -> None:
    """The funding was paid; `data` and `told` as for `accept`."""
    application = lock(application, version=version)
    move(application, "record_payment", by=by, data=data)
    _send(emails.paid(application, **(told or {})))


@transaction.atomic
def abandon(application: Application, *, by: User, version: int, message: str, data: dict | None = None) -> None:
    """From acceptance on, with a reason."""
    application = lock(application, version=version)
    move(application, "abandon", by=by, message=message, data=data)
    application.change_requests.open().update(answered_at=timezone.now())
    _send(emails.abandoned(application, message))
