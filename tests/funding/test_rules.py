"""What is paid and by which rule; what keeps a declaration from being validated; whose each verdict is."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from applications.models import Bracket, Domain
from funding import rules
from funding.actions import Outcome, Verdicts
from funding.declared import carried
from funding.models import Commitment, Decision, ExpenseVerdict, ObjectiveVerdict, Payment
from tests.factories import UserFactory
from tests.funding.deciding import (
    all_accepted,
    decide,
    declare,
    domain_that_pays,
    dossier_in,
    line,
    now,
    validated,
    what,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def ans():
    return UserFactory(ans=True)


@pytest.mark.parametrize(
    ("rule", "accepted", "objectives", "is_read", "due"),
    [
        ("accepted_expenses", 0, [True], True, 0),
        ("accepted_expenses", 1, [True], True, 700_000),
        ("accepted_expenses", 700_000, [True], True, 700_000),
        ("accepted_expenses", 700_001, [True], True, 700_001),
        ("accepted_expenses", 5_000_000, [True], True, 5_000_000),
        ("accepted_expenses", 5_000_001, [True], True, 5_000_000),
        ("accepted_expenses", 900_000, [True, False], True, 0),
        ("accepted_expenses", 900_000, [True, None], True, None),
        ("accepted_expenses", 900_000, [True], False, None),
        ("accepted_expenses", None, [True], True, 0),
        ("lump_sum", None, [True, True], False, 5_000_000),
        ("lump_sum", 0, [True], True, 5_000_000),
        ("lump_sum", 9_000_000, [True, False], True, 0),
        ("lump_sum", 9_000_000, [None], True, None),
    ],
)
def test_what_is_due(rule, accepted, objectives, is_read, due):
    domain = Domain(payment=rule, floor=700_000)
    given = {"ceiling": 5_000_000, "accepted": accepted, "objectives": objectives, "is_read": is_read}
    assert rules.amount_due(domain, **given) == due


@pytest.mark.parametrize(
    ("amounts", "due", "said"),
    [
        ([100_000], 700_000, "n’atteignent pas le plancher\u00a0: le plancher est versé, 7\u00a0000\u00a0€"),
        ([800_000, 400_050], 1_200_050, "C’est le total des dépenses retenues, entre le plancher (7\u00a0000\u00a0€)"),
        ([6_000_000], 5_000_000, "dépassent le plafond\u00a0: le plafond est versé, 50\u00a0000\u00a0€"),
    ],
)
def test_the_rule_is_said_in_one_sentence(ans, amounts, due, said):
    application = dossier_in("under_control", lines=[line(amount) for amount in amounts])
    decision = decide(application, by=ans)
    assert decision.amount == due
    assert said in rules.rule_of(decision)
    assert rules.decision_faults(now(application), rules.decision_of(application)) == []


def test_a_lump_sum_waits_for_the_objectives_alone(ans):
    application = dossier_in("under_control", domain=domain_that_pays(payment="lump_sum"), lines=[line(100)])
    verdicts = all_accepted(application)
    verdicts.expenses = {}
    decision = decide(application, by=ans, verdicts=verdicts)
    assert (decision.amount, decision.accepted) == (5_000_000, None)
    assert "forfait" in rules.rule_of(decision)
    assert rules.decision_faults(now(application), rules.decision_of(application)) == []


def test_each_thing_that_is_missing_is_named(ans):
    application = dossier_in("under_control", lines=[line(100_000), line(200_000), line(300_000)])
    assert rules.decision_faults(application, None) == [
        "Aucune décision de financement n’est enregistrée pour ce dossier."
    ]
    verdicts = all_accepted(application)
    del verdicts.objectives["D1.O1.B"], verdicts.expenses["depenses", 0], verdicts.expenses["depenses", 2]
    decide(application, by=ans, verdicts=verdicts)
    assert rules.decision_faults(now(application), rules.decision_of(application)) == [
        "Avis attendu\u00a0: Objectif D1.O1.B.",
        "2 dépenses attendent votre avis.",
    ]
    refused = dict.fromkeys(all_accepted(application).expenses, (Outcome.REFUSED, 0, "Hors sujet."))
    objectives = {"D1.O1.A": (True, ""), "D1.O1.B": (False, "Audit trop ancien.")}
    decide(application, by=ans, verdicts=Verdicts(objectives, refused), seen=1)
    faults = rules.decision_faults(now(application), rules.decision_of(application))
    assert faults[0].startswith("Non validé\u00a0: Objectif D1.O1.B.")
    assert faults[1] == "Aucune dépense n’est retenue\u00a0: rien ne peut être versé."


def test_a_total_that_is_not_typed_is_named(ans):
    application = dossier_in("under_control", domain=domain_that_pays(has_lines=False))
    verdicts = all_accepted(application)
    verdicts.total = None
    decide(application, by=ans, verdicts=verdicts)
    faults = rules.decision_faults(now(application), rules.decision_of(application))
    assert faults == ["Le total des dépenses retenues n’est pas indiqué."]


def test_a_form_that_names_no_objective_has_one_for_all_of_them(ans):
    application = dossier_in("under_control", domain=domain_that_pays(objectives=(), has_lines=False))
    assert [objective.name for objective in what(application).objectives] == ["Objectifs du domaine"]
    decide(application, by=ans, verdicts=Verdicts(total=900_000))
    faults = rules.decision_faults(now(application), rules.decision_of(application))
    assert faults == ["Avis attendu\u00a0: Objectifs du domaine."]


def test_a_ceiling_that_changed_since_is_not_paid_unnoticed(ans):
    application = dossier_in("under_control", lines=[line(6_000_000)])
    decide(application, by=ans)
    Bracket.objects.filter(domain=application.domain).update(ceiling=9_000_000)
    [fault] = rules.decision_faults(now(application), rules.decision_of(application))
    assert "a changé depuis" in fault
    assert decide(application, by=ans, seen=1).amount == 6_000_000


@pytest.mark.parametrize(("days", "said"), [(1, "dans le futur"), (0, ""), (-1, "précède la validation")])
def test_the_day_of_a_transfer(ans, days, said):
    decision = validated(by=ans).decision
    fault = rules.payment_day_fault(decision, timezone.localdate() + timedelta(days=days), timezone.now())
    assert (said in fault) if said else fault == ""


# --- which verdict belongs to which line ------------------------------------------------------------------------------
def test_a_verdict_stays_with_its_expense_and_never_goes_to_another(ans):
    first, second, third = line(100_000, "Un"), line(200_000, "Deux"), line(300_000, "Trois")
    application = dossier_in("under_control", lines=[first, second, third, second])
    verdicts = all_accepted(application)
    verdicts.expenses["depenses", 1] = (Outcome.REFUSED, 0, "Premier deux.")
    verdicts.expenses["depenses", 3] = (Outcome.REDUCED, 50_000, "Second deux.")
    decide(application, by=ans, verdicts=verdicts)
    kept = list(rules.decision_of(application).expenses.all())
    declare(application, [third, second, line(100_000, "Un", supplier="Autre"), second])
    found, dropped = carried(what(application).lines, kept)
    assert {place[1]: (verdict.line["label"], verdict.reason) for place, verdict in found.items()} == {
        0: ("Trois", ""),
        1: ("Deux", "Premier deux."),
        3: ("Deux", "Second deux."),
    }
    assert [verdict.line["label"] for verdict in dropped] == ["Un"], "the same words from another supplier are another"


def test_an_amount_changed_by_one_cent_is_another_expense(ans):
    application = dossier_in("under_control", lines=[line(100_000)])
    decide(application, by=ans)
    declare(application, [line(100_001)])
    found, dropped = carried(what(application).lines, rules.decision_of(application).expenses.all())
    assert (found, len(dropped)) == ({}, 1)


# --- what the tables refuse ---------------------------------------------------------------------------------------
def refused(deed) -> bool:
    try:
        with transaction.atomic():
            deed()
    except IntegrityError:
        return True
    return False


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": 5_000_001},
        {"amount": 699_999},
        {"accepted": 0},
        {"accepted": None},
        {"floor": 5_000_001},
        {"validated_by": None},
        {"amount": None},
        {"amount": 0},
    ],
)
def test_a_validated_decision_that_cannot_be_is_refused_by_the_table(ans, wrong):
    decision = validated(by=ans).decision
    assert refused(lambda: Decision.objects.filter(pk=decision.pk).update(**wrong))


@pytest.mark.parametrize(
    "wrong",
    [
        {"outcome": "accepted", "amount": 99},
        {"outcome": "reduced", "amount": 100_000, "reason": "Trop."},
        {"outcome": "reduced", "amount": 0, "reason": "Trop."},
        {"outcome": "reduced", "amount": 50_000, "reason": ""},
        {"outcome": "refused", "amount": 1, "reason": "Non."},
        {"outcome": "refused", "amount": 0, "reason": ""},
    ],
)
def test_an_amount_that_contradicts_its_outcome_is_refused_by_the_table(ans, wrong):
    application = dossier_in("under_control", lines=[line(100_000)])
    decide(application, by=ans)
    assert refused(lambda: ExpenseVerdict.objects.update(**wrong))


def test_what_else_the_tables_refuse(ans):
    application = validated(by=ans, requested=2_000_000)
    assert refused(lambda: Commitment.objects.update(amount=5_000_001))
    assert refused(lambda: Commitment.objects.update(amount=2_000_001))
    assert refused(lambda: Commitment.objects.update(released_at=timezone.now() - timedelta(days=1)))
    assert refused(lambda: ObjectiveVerdict.objects.update(is_reached=False))
    paid = {"application": application, "paid_on": timezone.localdate(), "recorded_by": ans}
    assert refused(lambda: Payment.objects.create(amount=0, reference="VIR", **paid))
    assert refused(lambda: Payment.objects.create(amount=1, reference="", **paid))
