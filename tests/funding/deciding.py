"""Dossiers about which money is decided, led there by rows and by the verbs of money."""

from datetime import date

from django.utils import timezone

from applications.actions import write_answer
from applications.models import Application, Bracket, Question, Submission
from applications.states import IN_DECLARATION, State, Step
from establishments.models import Activity
from funding import actions
from funding.actions import Outcome, Verdicts
from funding.declared import declared, latest
from funding.models import Commitment, Decision
from tests.applications.life_cycle import perform
from tests.factories import ApplicationFactory, DomainFactory, FormFactory, UserFactory

CEILING = 5_000_000
FLOOR = 700_000
IBAN, BIC = "FR7630006000011234567890189", "AGRIFRPP"
CANDIDATURE = [
    {"key": "titulaire", "kind": "text"},
    {"key": "iban", "kind": "iban"},
    {"key": "bic", "kind": "bic"},
    {"key": "montant", "kind": "amount"},
]
OBJECTIVES = ("D1.O1.A", "D1.O1.B")
TODAY = date(2026, 7, 2)


def line(amount: int, label: str = "Audit", supplier: str = "Cabinet", day: date = TODAY) -> dict:
    return {"date": day.isoformat(), "supplier": supplier, "label": label, "amount": amount}


def domain_that_pays(*, objectives=OBJECTIVES, has_lines: bool = True, ceiling: int = CEILING, **fields):
    """Its scale gives everybody who has an activity the same ceiling."""
    domain = DomainFactory(**{"envelope": 100_000_000} | fields)
    Bracket.objects.create(domain=domain, kind="public", days_from=0, ceiling=ceiling)
    FormFactory(domain=domain, questions=[question | {"is_required": False} for question in CANDIDATURE])
    boxes = [
        {"key": code.lower().replace(".", "-"), "kind": "checkbox", "objective": code, "checkbox_label": "Je valide"}
        for code in objectives
    ]
    lines = [{"key": "depenses", "kind": "expenses"}] if has_lines else []
    questions = [question | {"is_required": False} for question in boxes + lines] or None
    FormFactory(domain=domain, step=Step.DECLARATION, questions=questions)
    return domain


def send(application, step: str, answers: dict) -> Submission:
    """A sending as the verb writes it, with these answers."""
    number = Submission.objects.filter(application=application, step=step).count() + 1
    form = application.domain.forms.get(step=step)
    content = {"reference": application.reference, "step": step, "form": form.number, "answers": answers}
    return Submission.objects.create(
        application=application, step=step, number=number, by=application.referent, content=content, digest="a" * 64
    )


def dossier_in(state: str, *, domain=None, lines=(), requested: int | None = None, owner=None, days: int = 1000):
    """With what it sent, its account, and what its acceptance committed."""
    domain, owner = domain or domain_that_pays(), owner or UserFactory()
    Activity.objects.get_or_create(legal_entity=owner.establishment.legal_entity, year=2023, defaults={"days": days})
    application = ApplicationFactory(
        state=State(state),
        referent=owner,
        domain=domain,
        candidature_form=domain.forms.get(step=Step.CANDIDATURE),
        declaration_form=domain.forms.get(step=Step.DECLARATION) if state in IN_DECLARATION else None,
    )
    answers = {"titulaire": "CH de la Ville", "iban": IBAN, "bic": BIC} | ({"montant": requested} if requested else {})
    for question in Question.objects.filter(section__form=application.candidature_form):
        if question.key in answers:
            write_answer(application, question, answers[question.key])
    send(application, Step.CANDIDATURE, answers)
    Application.objects.filter(pk=application.pk).update(requested=requested or 0)
    application.requested = requested or 0
    if state not in ("draft", "submitted", "changes_requested", "rejected"):
        commit(application)
    if state in IN_DECLARATION and state != "declaration_open":
        declare(application, lines)
    return now(application)


def commit(application) -> Commitment:
    committed = actions.rules.commitment_of(application, application.domain)
    committed.save()
    return committed


def declare(application, lines=()) -> Submission:
    boxes = Question.objects.filter(section__form=application.declaration_form).exclude(objective="")
    answers = {box.key: True for box in boxes}
    if Question.objects.filter(section__form=application.declaration_form, kind="expenses").exists():
        answers["depenses"] = list(lines)
    return send(application, Step.DECLARATION, answers)


def now(application) -> Application:
    return Application.objects.get(pk=application.pk)


def what(application):
    return declared(latest(now(application), Step.DECLARATION))


def all_accepted(application, *, total: int = 1_200_000) -> Verdicts:
    """Every objective reached, every expense accepted; the total where there are no lines."""
    sent = what(application)
    return Verdicts(
        objectives={objective.code: (True, "") for objective in sent.objectives},
        expenses={one.place: (Outcome.ACCEPTED, one.amount, "") for one in sent.lines},
        total=None if sent.has_lines else total,
    )


def decide(application, *, by, verdicts: Verdicts | None = None, seen: int = 0):
    application = now(application)
    verdicts = all_accepted(application) if verdicts is None else verdicts
    return actions.decide(
        application, by=by, version=application.version, seen=seen, verdicts=verdicts, at=timezone.now()
    )


def validate(application, *, by, over: int = 0):
    application = now(application)
    actions.accept(application, by=by, version=application.version, over=over)
    return now(application)


def pay(application, *, by, reference: str = "VIR-2026-001", **fields):
    application = now(application)
    given = {"paid_on": timezone.localdate(), "reference": reference, "at": timezone.now()} | fields
    actions.record_payment(application, by=by, version=application.version, **given)
    return now(application)


def validated(*, by, **fields):
    """A dossier whose declaration was validated as it was declared."""
    application = dossier_in("under_control", **{"lines": [line(1_200_000)]} | fields)
    decide(application, by=by)
    return validate(application, by=by)


def perform_with_money(verb: str, application, *, by) -> None:
    """The verb as the doors call it; what is to be validated is decided first."""
    if verb == "accept":
        if application.state == State.UNDER_CONTROL:
            decide(application, by=by)
        validate(application, by=by)
    elif verb == "record_payment":
        pay(application, by=by)
    elif verb in ("reject", "reopen", "abandon"):
        getattr(actions, verb)(application, by=by, version=application.version, message="Le RIB ne correspond pas.")
    else:
        perform(verb, application, by=by)


def make_ready(application, *, by):
    """What the ANS needs to go on with a dossier that only its state describes: a decision, taken or validated."""
    if application.state not in (State.UNDER_CONTROL, State.VALIDATED):
        return application
    send(application, Step.DECLARATION, {})
    Application.objects.filter(pk=application.pk).update(state=State.UNDER_CONTROL)
    decision = decide(application, by=by, verdicts=Verdicts({"": (True, "")}, total=1_000_000))
    if application.state == State.VALIDATED:
        Decision.objects.filter(pk=decision.pk).update(validated_by=by, validated_at=timezone.now())
    Application.objects.filter(pk=application.pk).update(state=application.state)
    return application
