"""The verbs of money. Those that move a dossier wrap the verb of `applications.actions` of the same name: its row is
locked first, then its domain, whose envelope is counted; one transaction. Every door goes through these."""

from dataclasses import dataclass, field
from datetime import date, datetime

import rules as permissions
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from applications import actions as verbs
from applications.actions import NotNow
from applications.models import Application, Domain
from applications.money import ceiling
from applications.rules import may_now
from applications.states import State, Step
from ecare.french import euros, paris_datetime
from ecare.journal.actions import record
from ecare.letters.models import Letter
from funding import emails, rules
from funding.declared import Declared, declared, latest, spoken
from funding.models import Commitment, Decision, ExpenseVerdict, ObjectiveVerdict, Payment

CLOSED = "La décision de financement se prend pendant le contrôle de la déclaration par l’ANS."
Outcome = ExpenseVerdict.Outcome


class Overtaken(NotNow):
    """Another agent saved the decision since the page was shown."""

    def __init__(self, decision: Decision):
        super().__init__(
            f"{decision.by} a enregistré cette décision le {paris_datetime(decision.at)}, pendant que vous la "
            "remplissiez. Rien de ce que vous avez saisi n’est enregistré ; tout est encore sur cette page."
        )
        self.decision = decision


# --- acceptance commits -------------------------------------------------------------------------------------------
@transaction.atomic
def accept(application: Application, *, by: User, version: int, over: int = 0) -> None:
    """ARS: the candidature is accepted and its amount committed, or the declaration is complete. ANS: the declaration
    is validated as it was decided. `over`: by how much the agent saw, and confirmed, that the envelope is exceeded."""
    application = verbs.lock(application, version=version)
    if application.state == State.SUBMITTED and may_now(by, "accept", application):
        _accept_candidature(application, by=by, version=version)
    elif application.state == State.UNDER_CONTROL and may_now(by, "accept", application):
        _validate(application, by=by, version=version, over=over)
    else:
        verbs.accept(application, by=by, version=version)


def _accept_candidature(application: Application, *, by: User, version: int) -> None:
    """Never refused for want of money, never unnoticed: the ANS is written to, and confirms at the convention."""
    domain = _lock_domain(application)
    committed = rules.commitment_of(application, domain)
    over = rules.consumption(domain).over_with(committed.amount)
    data = {"committed": committed.amount, "ceiling": committed.ceiling, "over": over}
    verbs.accept(application, by=by, version=version, data=data)
    committed.save()
    _warn(domain)


def _validate(application: Application, *, by: User, version: int, over: int) -> None:
    domain, decision = _lock_domain(application), rules.decision_of(application)
    faults = rules.decision_faults(application, decision)
    if decision is None or decision.amount is None or faults:
        raise NotNow(" ".join(faults))
    amount = decision.amount
    found = _confirmed_overrun(domain, more=amount - rules.counted(application), seen=over)
    data = {
        "amount": amount,
        "accepted": decision.accepted,
        "ceiling": decision.ceiling,
        "rule": decision.rule,
        "decision": decision.version,
        "over": found,
    }
    Decision.objects.filter(pk=decision.pk).update(validated_by=by, validated_at=timezone.now())
    verbs.accept(application, by=by, version=version, data=data, told=_told(decision))
    _warn(domain)


def _told(decision: Decision) -> dict:
    """What the référent reads of it: the amount, and each expense that is not accepted whole, with the reason."""
    lines = []
    for verdict in decision.expenses.all():
        if verdict.outcome != Outcome.ACCEPTED:
            kept = f"retenue pour {euros(verdict.amount)}" if verdict.amount else "refusée"
            lines.append(f"{spoken(verdict)} : {kept}. Motif : {verdict.reason}")
    return {"amount": decision.amount, "rule": rules.rule_of(decision), "lines": lines}


@transaction.atomic
def confirm_envelope(application: Application, *, over: int, by: User) -> None:
    """Before a convention is signed: an envelope that is exceeded is confirmed by the ANS. Raises NotNow."""
    application = verbs.lock(application)
    found = _confirmed_overrun(_lock_domain(application), more=0, seen=over)
    if found:
        record(application.subject, "confirm_envelope", actor=by.actor, data={"over": found})


def _confirmed_overrun(domain: Domain, *, more: int, seen: int) -> int:
    """By how much the envelope is exceeded, which is no more than the agent saw; else NotNow."""
    over = rules.consumption(domain).over_with(more)
    if over > seen:
        raise NotNow(
            f"L’enveloppe du domaine serait dépassée de {euros(over)}. Rouvrez cette page : "
            "elle vous demande de le confirmer."
        )
    return over


def _lock_domain(application: Application) -> Domain:
    """Two dossiers of one domain are counted one after the other."""
    domain = Domain.objects.select_for_update(no_key=True).get(pk=application.domain_id)
    application.domain = domain
    return domain


# --- the end of a dossier releases, and a reopened one commits anew ---------------------------------------------------
@transaction.atomic
def reject(application: Application, *, by: User, version: int, message: str) -> None:
    application = verbs.lock(application, version=version)
    verbs.reject(application, by=by, version=version, message=message, data=_release(application))


@transaction.atomic
def abandon(application: Application, *, by: User, version: int, message: str) -> None:
    application = verbs.lock(application, version=version)
    verbs.abandon(application, by=by, version=version, message=message, data=_release(application))


def _release(application: Application) -> dict | None:
    """A candidature that was never accepted has nothing to release."""
    live = Commitment.objects.live().filter(application=application)
    amount = rules.counted(application)
    return {"released": amount} if live.update(released_at=timezone.now()) else None


@transaction.atomic
def reopen(application: Application, *, by: User, version: int, message: str) -> None:
    """The amount committed is that of the acceptance: it was what the convention was signed for."""
    application = verbs.lock(application, version=version)
    domain = _lock_domain(application)
    back = Commitment.objects.filter(application=application).exclude(released_at=None).update(released_at=None)
    data = {"committed": rules.counted(application)} if back else None
    verbs.reopen(application, by=by, version=version, message=message, data=data)
    _warn(domain)


# --- the decision -------------------------------------------------------------------------------------------------
@dataclass
class Verdicts:
    """What an agent typed: what is absent is not read yet. `total`: where the form asks for no line."""

    objectives: dict[str, tuple[bool, str]] = field(default_factory=dict)
    expenses: dict[tuple[str, int], tuple[str, int, str]] = field(default_factory=dict)
    total: int | None = None


@transaction.atomic
def decide(
    application: Application, *, by: User, version: int, seen: int, verdicts: Verdicts, at: datetime
) -> Decision:
    """Save the decision as it stands, complete or not; any agent of the ANS goes on with it. `seen`: the version of
    the decision that the page showed, 0 for none. Raises Overtaken, NotNow or PermissionDenied."""
    application = verbs.lock(application, version=version)
    if not permissions.test_rule("act_as_ans", by, application):
        raise PermissionDenied
    if not rules.may_decide(by, application):
        raise NotNow(CLOSED)
    decision = rules.decision_of(application)
    if decision is not None and decision.version != seen:
        raise Overtaken(decision)
    sent = latest(application, Step.DECLARATION)
    if sent is None:
        raise NotNow(CLOSED)
    what = declared(sent)
    decision = _settle(decision or Decision(application=application, version=0), what, verdicts)
    decision.by, decision.at, decision.version = by, at, decision.version + 1
    decision.save()
    _write_verdicts(decision, what, verdicts)
    record(application.subject, "decide", actor=by.actor, data=_facts(decision, verdicts))
    return decision


def _settle(decision: Decision, what: Declared, verdicts: Verdicts) -> Decision:
    """The sums, by the ceiling and the rule of this moment."""
    application = decision.application
    domain, found = application.domain, ceiling(application.domain, application.establishment)
    places = [line.place for line in what.lines]
    if what.has_lines:
        read = [place for place in places if place in verdicts.expenses]
        accepted = sum(verdicts.expenses[place][1] for place in read) if read else None
        is_read = len(read) == len(places)
    else:
        accepted, is_read = verdicts.total, verdicts.total is not None
    reached = [verdicts.objectives.get(one.code, (None, ""))[0] for one in what.objectives]
    decision.submission, decision.accepted = what.submission, accepted
    decision.ceiling, decision.floor, decision.rule = found.cents, found.floor, domain.payment
    decision.basis = rules.basis_of(found)
    decision.amount = rules.amount_due(
        domain, ceiling=found.cents, accepted=accepted, objectives=reached, is_read=is_read
    )
    return decision


def _write_verdicts(decision: Decision, what: Declared, verdicts: Verdicts) -> None:
    decision.objectives.all().delete()
    decision.expenses.all().delete()
    ObjectiveVerdict.objects.bulk_create(
        ObjectiveVerdict(decision=decision, code=one.code, is_reached=given[0], remark=given[1])
        for one in what.objectives
        if (given := verdicts.objectives.get(one.code))
    )
    ExpenseVerdict.objects.bulk_create(
        ExpenseVerdict(
            decision=decision,
            key=line.key,
            rank=line.rank,
            digest=line.digest,
            line=line.line,
            declared=line.amount,
            outcome=read[0],
            amount=read[1],
            reason=read[2],
        )
        for line in what.lines
        if (read := verdicts.expenses.get(line.place))
    )


def _facts(decision: Decision, verdicts: Verdicts) -> dict:
    """For the journal: verdict by verdict, so that what an agent changed can be told later."""
    return {
        "version": decision.version,
        "submission": decision.submission.number,
        "digest": decision.submission.digest,
        "accepted": decision.accepted,
        "amount": decision.amount,
        "ceiling": decision.ceiling,
        "rule": decision.rule,
        "objectives": {code: reached for code, (reached, _) in verdicts.objectives.items()},
        "expenses": [[*place, outcome, amount] for place, (outcome, amount, _) in verdicts.expenses.items()],
    }


# --- the payment --------------------------------------------------------------------------------------------------
@transaction.atomic
def record_payment(
    application: Application, *, by: User, version: int, paid_on: date, reference: str, at: datetime
) -> None:
    """The transfer of what was decided, to the cent, once. Raises NotNow or PermissionDenied."""
    application = verbs.lock(application, version=version)
    decision = rules.decision_of(application)
    if may_now(by, "record_payment", application):
        if decision is None or not decision.is_validated:
            raise NotNow("Aucune décision de financement n’est validée pour ce dossier : il n’y a rien à verser.")
        if fault := rules.payment_day_fault(decision, paid_on, at):
            raise NotNow(fault)
        paid = Payment(application=application, amount=decision.amount, paid_on=paid_on, reference=reference)
        paid.recorded_by = by
        paid.save()
    data = {"amount": decision.amount if decision else None, "paid_on": paid_on.isoformat(), "reference": reference}
    told = {"amount": data["amount"], "paid_on": paid_on, "reference": reference}
    verbs.record_payment(application, by=by, version=version, data=data, told=told)


def note_download(*, by: User, format: str, criteria: dict, count: int) -> None:
    """Each list of bank details that leaves the portal leaves a line in the journal."""
    record(
        "payments", "download_payments", actor=by.actor, data={"format": format, "criteria": criteria, "rows": count}
    )


# --- the envelope -------------------------------------------------------------------------------------------------
def warn_of_envelopes() -> int:
    """For the worker: an administrator may have lowered an envelope. Returns how many letters were written."""
    return sum(_warn_of(pk) for pk in Domain.objects.exclude(envelope=0).values_list("pk", flat=True))


@transaction.atomic
def _warn_of(pk: int) -> int:
    return _warn(Domain.objects.select_for_update(no_key=True).get(pk=pk))


def _warn(domain: Domain) -> int:
    """On a locked domain: write to the agents of the ANS of the highest threshold reached, each agent once for it."""
    found = rules.consumption(domain)
    if not found.threshold:
        return 0
    agents = list(User.objects.filter(role=User.Role.ANS, is_active=True).order_by("pk"))
    higher = [one for one in rules.THRESHOLDS if one >= found.threshold]
    told = set(
        Letter.objects.filter(
            once__in=[emails.once(found, one, agent) for one in higher for agent in agents]
        ).values_list("once", flat=True)
    )
    untold = [agent for agent in agents if not any(emails.once(found, one, agent) in told for one in higher)]
    for agent in untold:
        emails.envelope_near(found, found.threshold, agent).save()
    return len(untold)
