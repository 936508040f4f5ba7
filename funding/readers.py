"""What is read of money: of a dossier, before a decision, and by the accountant."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import F

from accounts.models import User
from applications.expenses import Expense, read
from applications.models import Answer, Application, Question, Submission
from applications.money import Ceiling, ceiling
from applications.states import State
from evidence.models import BankDetails, Evidence
from funding import rules
from funding.models import Commitment, Decision, ExpenseVerdict, Payment


@dataclass(frozen=True)
class Money:
    """The sums of a dossier, as far as its life has gone."""

    ceiling: int
    requested: int | None
    commitment: Commitment | None
    decision: Decision | None
    payment: Payment | None


def money_of(application: Application, user: User) -> Money:
    """As this agent may read it: the ceiling is that of the acceptance once there was one."""
    kept = Application.objects.select_related("commitment", "payment").get(pk=application.pk)
    commitment, payment = getattr(kept, "commitment", None), getattr(kept, "payment", None)
    decision = Decision.objects.visible_to(user).filter(application=application).first()
    if commitment is not None:
        return Money(commitment.ceiling, commitment.requested, commitment, decision, payment)
    limit = ceiling(application.domain, application.establishment).cents
    return Money(limit, application.requested or None, None, decision, payment)


def pieces_of(submission: Submission, user: User) -> list[Evidence]:
    """The files that a declaration was sent with, in the order of its form, as this agent sees them. One query."""
    lists = (value for value in submission.answers.values() if isinstance(value, list))
    listed = [one["id"] for files in lists for one in files if isinstance(one, dict) and "sha256" in one]
    found = Evidence.objects.visible_to(user).filter(application=submission.application_id, file__in=listed)
    return list(
        found.select_related("file", "question").order_by("question__section__position", "question__position", "pk")
    )


# --- before a decision --------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Outlook:
    """What a click would mean for money. `over`: by how much the envelope would be exceeded after it."""

    committed: int | None = None
    amount: int | None = None
    rule: str = ""
    faults: list[str] = field(default_factory=list)
    over: int = 0
    is_of_ans: bool = True


def outlook(application: Application, verb: str) -> Outlook:
    domain = application.domain
    if verb == "accept" and application.state == State.SUBMITTED:
        committed = rules.commitment_of(application, domain).amount
        over = rules.consumption(domain).over_with(committed)
        return Outlook(committed=committed, over=over, is_of_ans=False)
    if verb == "accept" and application.state == State.UNDER_CONTROL:
        return _of_validation(application)
    if verb == "sign_convention":
        return Outlook(committed=rules.counted(application) or None, over=rules.consumption(domain).over)
    return Outlook()


def _of_validation(application: Application) -> Outlook:
    decision = rules.decision_of(application)
    faults = rules.decision_faults(application, decision)
    if decision is None or decision.amount is None or faults:
        return Outlook(faults=faults)
    over = rules.consumption(application.domain).over_with(decision.amount - rules.counted(application))
    return Outlook(amount=decision.amount, rule=rules.rule_of(decision), over=over)


def outlook_of_payment(decision: Decision | None) -> Outlook:
    """The amount of a transfer is the one that was decided, to the cent."""
    if decision is None or not decision.is_validated:
        return Outlook(
            faults=["Aucune décision de financement n’est validée pour ce dossier : il n’y a rien à verser."]
        )
    return Outlook(amount=decision.amount, rule=rules.rule_of(decision))


def ceiling_of(application: Application) -> Ceiling:
    return ceiling(application.domain, application.establishment)


# --- the accountant -----------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Account:
    """Where a dossier is paid: what was sent, or what the ANS confirmed since. `is_changing`: another account was
    asked for and waits for the ANS, who decides before anything is paid."""

    holder: str = ""
    iban: str = ""
    bic: str = ""
    siret: str = ""
    is_changing: bool = False


_NAMES = {
    Question.Kind.TEXT: "holder",
    Question.Kind.IBAN: "iban",
    Question.Kind.BIC: "bic",
    Question.Kind.SIRET: "siret",
}


def accounts(dossiers: Iterable[Application]) -> dict[int, Account]:
    """By primary key of the dossier; two queries. After acceptance the answers of the candidature change only by a
    confirmed request. The holder is the text of the section that asks for the IBAN, whatever the form calls it."""
    keys = [dossier.pk for dossier in dossiers]
    answers = Answer.objects.filter(
        application__in=keys,
        question__section__form=F("application__candidature_form"),
        question__kind__in=list(_NAMES),
    )
    in_order = answers.order_by("question__section__position", "question__position")
    rows = list(in_order.values_list("application", "question__section", "question__kind", "value"))
    of_bank = {(dossier, section) for dossier, section, kind, _ in rows if kind == Question.Kind.IBAN}
    found: dict[int, dict[str, str]] = {}
    for dossier, section, kind, value in rows:
        if kind == Question.Kind.SIRET or (dossier, section) in of_bank:
            found.setdefault(dossier, {}).setdefault(_NAMES[Question.Kind(kind)], value or "")
    changing = set(BankDetails.objects.open().filter(application__in=keys).values_list("application", flat=True))
    return {key: Account(**found.get(key, {}), is_changing=key in changing) for key in keys}


def to_pay():
    """Dossiers validated with an amount, paid or not, with all that the list says of them."""
    dossiers = Application.objects.filter(state__in=(State.VALIDATED, State.PAID), decision__validated_at__isnull=False)
    return dossiers.select_related(
        "decision", "payment", "domain", "establishment__legal_entity", "establishment__ght", "establishment__region"
    )


def said(verdict: ExpenseVerdict) -> Expense:
    """The expense that a verdict was given for, as it reads."""
    return read([verdict.line]).lines[0]
