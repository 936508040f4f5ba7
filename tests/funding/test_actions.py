"""The verbs of money: what each writes, whom it refuses, and that nothing goes round them."""

import ast
from datetime import timedelta
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError
from django.utils import timezone

from applications.actions import NotNow
from applications.models import Bracket
from ecare.journal.actions import broken_links
from ecare.journal.models import Entry
from ecare.letters.models import Letter
from funding import actions, rules
from funding.actions import Outcome, Overtaken
from funding.models import Commitment, Decision, ExpenseVerdict, Payment
from tests.applications.life_cycle import people
from tests.factories import EstablishmentFactory, UserFactory
from tests.faults import break_inserts_into
from tests.funding.deciding import (
    all_accepted,
    decide,
    declare,
    domain_that_pays,
    dossier_in,
    line,
    now,
    pay,
    validate,
    validated,
)

pytestmark = pytest.mark.django_db

REASON = "L’établissement ne donne plus suite."


@pytest.fixture
def cast():
    return people(EstablishmentFactory())


def entry(application, verb) -> Entry:
    return Entry.objects.filter(subject=application.subject, verb=verb).latest("sequence")


def letter(name) -> str:
    return Letter.objects.get(name=name).text.replace("\u00a0", " ")


def traces(application):
    dossier = type(application).objects.filter(pk=application.pk).values().get()
    tables = [list(model.objects.order_by("pk").values()) for model in (Commitment, Decision, ExpenseVerdict, Payment)]
    return dossier, tables, Entry.objects.count(), Letter.objects.count()


# --- acceptance commits -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("fields", "requested", "amount"),
    [
        ({}, None, 5_000_000),
        ({}, 1_500_000, 1_500_000),
        ({}, 7_000_000, 5_000_000),
        ({"commitment": "ceiling"}, 1_500_000, 5_000_000),
    ],
)
def test_acceptance_commits_the_ceiling_or_less_if_less_was_asked_for(cast, fields, requested, amount):
    application = dossier_in("submitted", owner=cast["owner"], domain=domain_that_pays(**fields), requested=requested)
    actions.accept(application, by=cast["ars"], version=application.version)
    kept = Commitment.objects.get(application=application)
    assert (kept.amount, kept.ceiling, kept.requested, kept.released_at) == (amount, 5_000_000, requested, None)
    assert kept.basis["days"] == 1000 and kept.basis["bracket"] == [0, None, 5_000_000]
    assert now(application).state == "accepted"
    assert entry(application, "accept").data == {"committed": amount, "ceiling": 5_000_000, "over": 0}
    assert list(broken_links(application.subject)) == []


def test_what_is_committed_does_not_follow_a_later_scale(cast):
    application = dossier_in("submitted", owner=cast["owner"])
    actions.accept(application, by=cast["ars"], version=1)
    Bracket.objects.update(ceiling=9_000_000)
    assert rules.counted(application) == 5_000_000


def test_the_amount_is_the_one_that_was_sent_last(cast):
    """A draft that says otherwise since is nobody's business."""
    application = dossier_in("submitted", owner=cast["owner"], requested=1_500_000)
    application.answers.filter(question__key="montant").update(value=1)
    actions.accept(application, by=cast["ars"], version=1)
    assert rules.counted(application) == 1_500_000


def test_a_complete_declaration_passes_to_the_ans_without_a_word_about_money(cast):
    application = dossier_in("declaration_submitted", owner=cast["owner"], lines=[line(1)])
    actions.accept(application, by=cast["ars"], version=1)
    assert now(application).state == "under_control"
    assert entry(application, "accept").data == {}


@pytest.mark.parametrize("role", ["owner", "colleague", "ars_elsewhere", "ans", "administrator", "inactive_ars"])
def test_nobody_else_accepts_and_nothing_is_committed(cast, role):
    application = dossier_in("submitted", owner=cast["owner"])
    before = traces(application)
    with pytest.raises(PermissionDenied):
        actions.accept(application, by=cast[role], version=1)
    assert traces(application) == before


# --- the end of a dossier ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("state", ["accepted", "declaration_open", "under_control"])
def test_abandoning_releases(cast, state):
    application = dossier_in(state, owner=cast["owner"])
    actions.abandon(application, by=cast["ans"], version=1, message=REASON)
    assert rules.counted(application) == 0
    assert Commitment.objects.get().released_at is not None
    assert entry(application, "abandon").data == {"released": 5_000_000}


def test_a_rejected_declaration_releases_and_a_reopened_one_commits_the_same_anew(cast):
    application = dossier_in("under_control", owner=cast["owner"])
    actions.reject(application, by=cast["ans"], version=1, message=REASON)
    assert (rules.counted(application), entry(application, "reject").data) == (0, {"released": 5_000_000})
    Bracket.objects.update(ceiling=9_000_000)
    actions.reopen(now(application), by=cast["ans"], version=2, message=REASON)
    assert (rules.counted(application), entry(application, "reopen").data) == (5_000_000, {"committed": 5_000_000})


def test_a_rejected_candidature_had_committed_nothing(cast):
    application = dossier_in("submitted", owner=cast["owner"])
    actions.reject(application, by=cast["ars"], version=1, message=REASON)
    actions.reopen(now(application), by=cast["ans"], version=2, message=REASON)
    assert (entry(application, "reject").data, entry(application, "reopen").data) == ({}, {})
    assert not Commitment.objects.exists()


@pytest.mark.parametrize(("verb", "state"), [("reject", "under_control"), ("abandon", "accepted")])
def test_whoever_may_not_end_it_releases_nothing(cast, verb, state):
    application = dossier_in(state, owner=cast["owner"])
    before = traces(application)
    for role in ("owner", "ars", "administrator"):
        with pytest.raises(PermissionDenied):
            getattr(actions, verb)(application, by=cast[role], version=1, message=REASON)
    assert traces(application) == before


# --- the decision -----------------------------------------------------------------------------------------------------
def test_a_draft_is_kept_whole_and_any_agent_goes_on_with_it(cast):
    application = dossier_in("under_control", owner=cast["owner"], lines=[line(900_000), line(400_000)])
    verdicts = all_accepted(application)
    verdicts.objectives = {"D1.O1.A": (False, "Audit trop ancien.")}
    verdicts.expenses = {("depenses", 1): (Outcome.REDUCED, 150_000, "Part hors périmètre.")}
    decision = decide(application, by=cast["ans"], verdicts=verdicts)
    assert (decision.version, decision.accepted, decision.amount) == (1, 150_000, None)
    [verdict] = decision.expenses.all()
    assert (verdict.rank, verdict.declared, verdict.amount, verdict.line["amount"]) == (1, 400_000, 150_000, 400_000)
    second = decide(application, by=UserFactory(ans=True), seen=1)
    assert (second.pk, second.version, second.accepted, second.amount) == (decision.pk, 2, 1_300_000, 1_300_000)
    assert second.expenses.count() == 2 and second.objectives.filter(is_reached=True).count() == 2
    assert now(application).state == "under_control" and now(application).version == application.version
    assert not Letter.objects.exists()
    facts = entry(application, "decide").data
    assert (facts["version"], facts["amount"], facts["submission"]) == (2, 1_300_000, 1)
    assert facts["expenses"] == [["depenses", 0, "accepted", 900_000], ["depenses", 1, "accepted", 400_000]]


def test_the_second_of_two_agents_is_told_who_was_quicker(cast):
    application = dossier_in("under_control", owner=cast["owner"], lines=[line(900_000)])
    decide(application, by=cast["ans"])
    before = traces(application)
    with pytest.raises(Overtaken, match=str(cast["ans"])):
        decide(application, by=UserFactory(ans=True), seen=0)
    assert traces(application) == before


@pytest.mark.parametrize("state", ["accepted", "declaration_submitted", "validated", "paid", "declaration_rejected"])
def test_it_is_decided_during_the_control_alone(cast, state):
    application = dossier_in(state, owner=cast["owner"], lines=[line(900_000)])
    before = traces(application)
    with pytest.raises(NotNow, match="pendant le contrôle"):
        actions.decide(application, by=cast["ans"], version=1, seen=0, verdicts=actions.Verdicts(), at=timezone.now())
    assert traces(application) == before


@pytest.mark.parametrize("role", ["owner", "colleague", "ars", "administrator", "inactive_ans"])
def test_nobody_but_the_ans_decides(cast, role):
    application = dossier_in("under_control", owner=cast["owner"], lines=[line(900_000)])
    before = traces(application)
    with pytest.raises(PermissionDenied):
        decide(application, by=cast[role])
    assert traces(application) == before


# --- validating what was decided --------------------------------------------------------------------------------------
def test_validating_freezes_the_decision_and_the_letter_says_why_a_line_was_not_taken(cast):
    lines = [line(900_000, "Audit AD"), line(400_000, "Licences", "=cmd SARL"), line(300_000, "Mobilier")]
    application = dossier_in("under_control", owner=cast["owner"], lines=lines)
    verdicts = all_accepted(application)
    verdicts.expenses["depenses", 1] = (Outcome.REDUCED, 150_050, "Part hors périmètre.")
    verdicts.expenses["depenses", 2] = (Outcome.REFUSED, 0, "Dépense sans lien.")
    decide(application, by=cast["ans"], verdicts=verdicts)
    validate(application, by=cast["ans"])
    decision = Decision.objects.get()
    assert (decision.amount, decision.validated_by) == (1_050_050, cast["ans"])
    data = entry(application, "accept").data
    assert (data["amount"], data["accepted"], data["rule"]) == (1_050_050, 1_050_050, "accepted_expenses")
    said = letter("validated")
    assert "Le montant décidé est de 10 500,50 €." in said
    assert (
        "2 juillet 2026, =cmd SARL, Licences, 4 000 € : retenue pour 1 500,50 €. Motif : Part hors périmètre." in said
    )
    assert "Cabinet, Mobilier, 3 000 € : refusée. Motif : Dépense sans lien." in said
    assert "Audit AD" not in said


@pytest.mark.parametrize("fault", ["no decision", "an objective", "a line", "nothing accepted", "sent again"])
def test_a_declaration_whose_decision_is_not_whole_is_not_validated(cast, fault):
    application = dossier_in("under_control", owner=cast["owner"], lines=[line(900_000), line(400_000)])
    verdicts = all_accepted(application)
    if fault == "an objective":
        verdicts.objectives["D1.O1.B"] = (False, "Non atteint.")
    if fault == "a line":
        del verdicts.expenses["depenses", 1]
    if fault == "nothing accepted":
        verdicts.expenses = dict.fromkeys(verdicts.expenses, (Outcome.REFUSED, 0, "Non."))
    if fault != "no decision":
        decide(application, by=cast["ans"], verdicts=verdicts)
    if fault == "sent again":
        declare(application, [line(900_000), line(400_000)])
    before = traces(application)
    with pytest.raises(NotNow):
        validate(application, by=cast["ans"])
    assert traces(application) == before


def test_a_fault_in_the_middle_of_a_validation_leaves_the_draft_a_draft(cast):
    application = dossier_in("under_control", owner=cast["owner"], lines=[line(900_000)])
    decide(application, by=cast["ans"])
    before = traces(application)
    break_inserts_into(Letter)
    with pytest.raises(DatabaseError, match="fault"):
        validate(application, by=cast["ans"])
    assert traces(application) == before


# --- paying -----------------------------------------------------------------------------------------------------------
def test_a_payment_is_of_what_was_decided_and_is_told(cast):
    application = validated(by=cast["ans"], owner=cast["owner"])
    pay(application, by=cast["ans"], reference="VIR-42")
    paid = Payment.objects.get()
    assert (paid.amount, paid.reference, paid.recorded_by) == (1_200_000, "VIR-42", cast["ans"])
    assert now(application).state == "paid"
    today = timezone.localdate().isoformat()
    assert entry(application, "record_payment").data == {
        "amount": 1_200_000,
        "paid_on": today,
        "reference": "VIR-42",
    }
    said = letter("paid")
    assert "Montant : 12 000 €" in said and "VIR-42" in said


def test_a_dossier_is_paid_once(cast):
    application = validated(by=cast["ans"], owner=cast["owner"])
    version = now(application).version
    pay(application, by=cast["ans"])
    before = traces(application)
    for seen in (version, version + 1):
        with pytest.raises(NotNow):
            actions.record_payment(
                application,
                by=cast["ans"],
                version=seen,
                paid_on=timezone.localdate(),
                reference="VIR-2",
                at=timezone.now(),
            )
    assert traces(application) == before


@pytest.mark.parametrize("days", [1, -1])
def test_a_day_that_cannot_be_is_refused_by_the_verb_too(cast, days):
    application = validated(by=cast["ans"], owner=cast["owner"])
    before = traces(application)
    with pytest.raises(NotNow):
        pay(application, by=cast["ans"], paid_on=timezone.localdate() + timedelta(days=days))
    assert traces(application) == before


def test_nothing_is_paid_that_was_not_decided(cast):
    application = dossier_in("validated", owner=cast["owner"])
    with pytest.raises(NotNow, match="rien à verser"):
        pay(application, by=cast["ans"])
    with pytest.raises(PermissionDenied):
        pay(application, by=cast["ars"])
    assert not Payment.objects.exists() and now(application).state == "validated"


# --- nothing goes round -------------------------------------------------------------------------------------------
WRAPPED = {"accept", "reject", "reopen", "abandon", "record_payment"}


def calls_past_the_money(path: Path) -> list[str]:
    """« actions.accept » and its like, of the room whose name is imported as « actions » or « verbs »."""
    tree = ast.parse(path.read_text())
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "applications"
        for alias in node.names
        if alias.name == "actions"
    }
    return [
        f"{path}: {node.value.id}.{node.attr}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
        if node.attr in WRAPPED and node.value.id in imported
    ]


def test_no_door_moves_a_dossier_past_its_money():
    """Whoever calls a wrapped verb of `applications.actions` but this room would commit, release or pay nothing."""
    rooms = [app.path for app in apps.get_app_configs() if Path(app.path).is_relative_to(settings.BASE_DIR)]
    files = [path for room in rooms for path in Path(room).rglob("*.py")]
    past = {path.relative_to(settings.BASE_DIR).parts[0] for path in files if calls_past_the_money(path)}
    assert past == {"funding"}
