"""What the law says of money: what is paid and by which rule, what still stands in the way, what an envelope holds."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, QuerySet, Sum

from accounts.models import User
from applications.models import Application, Domain
from applications.money import Ceiling, ceiling, commitment, payment
from applications.states import State, Step
from ecare.clock import paris_day
from ecare.french import euros, thousands
from funding.declared import Declared, declared, latest
from funding.models import Commitment, Decision, Payment

THRESHOLDS = (100, 90)
"""Percentages of an envelope at which the ANS is written to, the highest first."""


AGAIN = (
    "La déclaration a été transmise à nouveau depuis l’enregistrement de la décision : relisez-la, "
    "puis enregistrez la décision."
)


# --- what is committed --------------------------------------------------------------------------------------------
def basis_of(found: Ceiling) -> dict:
    """What a ceiling rests on, to be kept with the amount: scales and activities change."""
    bracket = found.bracket
    return {
        "basis": str(found.basis),
        "kind": found.establishment.kind,
        "year": found.year,
        "days": found.days,
        "floor": found.floor,
        "bracket": [bracket.days_from, bracket.days_until, bracket.ceiling] if bracket else None,
        "is_official": found.domain.has_official_scale,
    }


def commitment_of(application: Application, domain: Domain) -> Commitment:
    """What acceptance would commit now; not saved."""
    found, asked = ceiling(domain, application.establishment), application.requested or None
    return Commitment(
        application=application,
        amount=commitment(domain, ceiling=found.cents, requested=asked),
        ceiling=found.cents,
        requested=asked,
        rule=domain.commitment,
        basis=basis_of(found),
    )


# --- what is decided ----------------------------------------------------------------------------------------------
def amount_due(domain: Domain, *, ceiling: int, accepted: int | None, objectives: Iterable[bool | None], is_read: bool):
    """None while something remains to be read; nothing at all unless every objective is reached.

    `is_read`: every expense has its verdict, or the total is typed; a lump sum does not depend on it."""
    objectives = list(objectives)
    if None in objectives or not (is_read or domain.payment == Domain.Payment.LUMP_SUM):
        return None
    return payment(domain, ceiling=ceiling, accepted=accepted or 0) if all(objectives) else 0


def rule_of(decision: Decision) -> str:
    """By which rule the amount results, in one sentence."""
    if decision.amount is None:
        return "Le montant sera connu quand chaque objectif et chaque dépense auront reçu votre avis."
    accepted, top, bottom = euros(decision.accepted or 0), euros(decision.ceiling), euros(decision.floor)
    if any(not verdict.is_reached for verdict in decision.objectives.all()):
        return "Rien n’est versé tant que tous les objectifs ne sont pas validés."
    if decision.rule == Domain.Payment.LUMP_SUM:
        return f"Le domaine verse un forfait, égal au plafond de l’établissement : {top}."
    if not decision.accepted:
        return "Rien n’est versé : aucune dépense n’est retenue."
    if decision.accepted > decision.ceiling:
        return f"Les dépenses retenues, {accepted}, dépassent le plafond : le plafond est versé, {top}."
    if decision.accepted < decision.floor:
        return f"Les dépenses retenues, {accepted}, n’atteignent pas le plancher : le plancher est versé, {bottom}."
    return f"C’est le total des dépenses retenues, entre le plancher ({bottom}) et le plafond ({top})."


def decision_faults(application: Application, decision: Decision | None) -> list[str]:
    """What keeps the declaration from being validated, in sentences; empty when nothing does."""
    sent = latest(application, Step.DECLARATION)
    if decision is None or sent is None:
        return ["Aucune décision de financement n’est enregistrée pour ce dossier."]
    if decision.submission_id != sent.pk:
        return [AGAIN]
    what = declared(sent)
    faults = [*_objective_faults(what, decision), *_expense_faults(what, decision)]
    found = ceiling(application.domain, application.establishment)
    if (decision.ceiling, decision.floor, decision.rule) != (found.cents, found.floor, application.domain.payment):
        faults.append(
            "Le plafond ou la règle du domaine a changé depuis l’enregistrement de la décision : "
            "enregistrez-la à nouveau."
        )
    return faults


def _objective_faults(what: Declared, decision: Decision) -> list[str]:
    given = {verdict.code: verdict.is_reached for verdict in decision.objectives.all()}
    awaited = [objective.name for objective in what.objectives if objective.code not in given]
    missed = [objective.name for objective in what.objectives if given.get(objective.code) is False]
    faults = []
    if awaited:
        faults.append(f"Avis attendu : {', '.join(awaited)}.")
    if missed:
        faults.append(
            f"Non validé : {', '.join(missed)}. Tous les objectifs doivent l’être : demandez une modification, "
            "ou rejetez la déclaration."
        )
    return faults


def _expense_faults(what: Declared, decision: Decision) -> list[str]:
    if decision.rule == Domain.Payment.LUMP_SUM:
        return []
    given = {(verdict.key, verdict.rank) for verdict in decision.expenses.all()}
    unread = sum(line.place not in given for line in what.lines)
    if unread:
        return [f"{unread} dépense{'s attendent' if unread > 1 else ' attend'} votre avis."]
    if decision.accepted is None and not what.has_lines:
        return ["Le total des dépenses retenues n’est pas indiqué."]
    if not decision.accepted:
        return ["Aucune dépense n’est retenue : rien ne peut être versé."]
    return []


def decision_of(application: Application) -> Decision | None:
    """With its verdicts, and the sending that was read."""
    found = Decision.objects.filter(application=application).select_related("submission", "by", "validated_by")
    decision = found.prefetch_related("objectives", "expenses").first()
    if decision is not None:
        decision.application = decision.submission.application = application
    return decision


def validated_decision(application: Application) -> Decision | None:
    """What may be told of the decision, read with its dossier: nothing while the ANS is still preparing it."""
    found = getattr(application, "decision", None)
    return found if found is not None and found.is_validated else None


def may_decide(user: User, application: Application) -> bool:
    """Any agent of the ANS, while it controls the declaration."""
    return user.is_ans and application.state == State.UNDER_CONTROL


def payment_day_fault(decision: Decision, day: date, at: datetime) -> str:
    """Why a transfer cannot have been made that day; empty when it can."""
    if day > paris_day(at):
        return "Cette date est dans le futur : indiquez le jour où le virement a été fait."
    if decision.validated_at and day < paris_day(decision.validated_at):
        return "Cette date précède la validation de la déclaration : vérifiez le jour et l’année."
    return ""


# --- the envelope of a domain -------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Consumption:
    """What an envelope holds. Each dossier counts once: for its commitment until its declaration is validated, for
    what was decided until it is paid, then for what was paid. An envelope of 0 is not set: it warns of nothing."""

    domain: Domain
    committed: int = 0
    validated: int = 0
    paid: int = 0
    dossiers: int = 0

    @property
    def used(self) -> int:
        return self.committed + self.validated + self.paid

    @property
    def left(self) -> int:
        return self.domain.envelope - self.used

    @property
    def over(self) -> int:
        return self.over_with(0)

    def over_with(self, more: int) -> int:
        """By how much the envelope would be exceeded if so much more were counted."""
        return max(0, self.used + more - self.domain.envelope) if self.domain.envelope else 0

    @property
    def percent(self) -> int:
        """Rounded down: 100 means all of it, or more."""
        return 100 * self.used // self.domain.envelope if self.domain.envelope else 0

    @property
    def share(self) -> str:
        """In percent as it is read: one decimal, rounded down, so that little is not nothing and 100 means all."""
        tenths = 1000 * self.used // self.domain.envelope if self.domain.envelope else 0
        whole, tenth = divmod(tenths, 10)
        return f"{thousands(whole)},{tenth}" if tenth else thousands(whole)

    @property
    def threshold(self) -> int:
        """The highest percentage to warn of that is reached; 0: none."""
        return next((one for one in THRESHOLDS if self.percent >= one), 0)

    @property
    def parts(self) -> list[dict]:
        """The segments of the bar, in hundredths of the envelope; all that was taken fits in it."""
        whole, start, found = max(self.domain.envelope, self.used), 0.0, []
        for name in ("paid", "validated", "committed"):
            width = 100 * getattr(self, name) / whole if whole else 0
            found.append({"name": name, "start": f"{start:.3f}", "width": f"{width:.3f}"})
            start += width
        return found

    @property
    def summary(self) -> str:
        """For whoever does not see the bar."""
        return f"{self.share} % de l’enveloppe : {euros(self.used)} sur {euros(self.domain.envelope)}"


def parts_of_an_envelope() -> tuple[QuerySet, QuerySet, QuerySet]:
    """Committed, validated, paid: each dossier stands in one of them, with its `amount`."""
    live = Commitment.objects.live().filter(application__decision__validated_at=None)
    decided = Decision.objects.filter(application__state=State.VALIDATED).exclude(validated_at=None)
    return live, decided, Payment.objects.all()


def consumption(domain: Domain) -> Consumption:
    return consumptions([domain])[0]


def consumptions(domains: Iterable[Domain]) -> list[Consumption]:
    """In the order given; three queries, however many domains and dossiers."""
    domains = list(domains)
    of_domain = "application__domain"
    sums = [
        {
            pk: (cents, count)
            for pk, cents, count in rows.order_by().values_list(of_domain).annotate(Sum("amount"), Count("pk"))
        }
        for rows in (part.filter(application__domain__in=domains) for part in parts_of_an_envelope())
    ]
    found = []
    for domain in domains:
        parts = [one.get(domain.pk, (0, 0)) for one in sums]
        found.append(Consumption(domain, *(cents for cents, _ in parts), dossiers=sum(count for _, count in parts)))
    return found


def counted(application: Application) -> int:
    """What a dossier counts for before its declaration is validated."""
    return sum(Commitment.objects.live().filter(application=application).values_list("amount", flat=True))
