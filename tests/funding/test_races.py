"""Two agents at once, two dossiers at the edge of an envelope."""

import pytest

from applications.actions import NotNow
from ecare.journal.actions import broken_links
from ecare.journal.models import Entry
from ecare.letters.models import Letter
from funding import actions, rules
from funding.models import Commitment, Decision, ExpenseVerdict, Payment
from tests.factories import UserFactory
from tests.funding.deciding import (
    all_accepted,
    decide,
    domain_that_pays,
    dossier_in,
    line,
    now,
    pay,
    validate,
    validated,
)
from tests.racing import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def refusals(outcomes):
    return [outcome for outcome in outcomes if isinstance(outcome, NotNow)]


def test_of_two_who_decide_one_is_told():
    application = dossier_in("under_control", lines=[line(900_000), line(400_000)])
    verdicts = all_accepted(application)
    agents = UserFactory.create_batch(2, ans=True)
    outcomes = at_once(*[lambda by=by: decide(application, by=by, verdicts=verdicts) for by in agents])
    assert len(refusals(outcomes)) == 1
    assert isinstance(refusals(outcomes)[0], actions.Overtaken)
    assert (Decision.objects.get().version, ExpenseVerdict.objects.count()) == (1, 2)


def test_of_two_who_validate_or_go_on_deciding_nothing_is_validated_unread():
    """The draft that is validated is the one that stands when the lock is taken; whoever comes second is refused."""
    ans = UserFactory(ans=True)
    application = dossier_in("under_control", lines=[line(900_000), line(400_000)])
    decide(application, by=ans)
    half = all_accepted(application)
    half.expenses = {("depenses", 0): ("accepted", 900_000, "")}
    version = application.version
    outcomes = at_once(
        lambda: actions.accept(application, by=ans, version=version),
        lambda: actions.decide(application, by=ans, version=version, seen=1, verdicts=half, at=application.moved_at),
    )
    assert len(refusals(outcomes)) == 1, outcomes
    decision, dossier = Decision.objects.get(), now(application)
    if dossier.state == "validated":
        assert (decision.amount, decision.expenses.count(), decision.version) == (1_300_000, 2, 1)
    else:
        assert (decision.validated_at, decision.amount, decision.version) == (None, None, 2)


def test_two_clicks_validate_once():
    ans = UserFactory(ans=True)
    application = dossier_in("under_control", lines=[line(900_000)])
    decide(application, by=ans)
    version = application.version
    outcomes = at_once(*[lambda: actions.accept(application, by=ans, version=version)] * 3)
    assert len(refusals(outcomes)) == 2
    assert Letter.objects.filter(name="validated").count() == 1
    assert Entry.objects.filter(subject=application.subject, verb="accept").count() == 1


def test_two_clicks_pay_once():
    ans = UserFactory(ans=True)
    application = validated(by=ans)
    outcomes = at_once(*[lambda: pay(application, by=ans)] * 3)
    assert Payment.objects.count() == 1 and len(refusals(outcomes)) == 2
    assert Letter.objects.filter(name="paid").count() == 1
    assert not list(broken_links(application.subject))


def test_two_dossiers_at_the_edge_are_counted_one_after_the_other():
    """Each fits by itself, both do not: both are accepted, the second knows it, and the ANS is told once."""
    ans, domain = UserFactory(ans=True), domain_that_pays(envelope=9_000_000)
    pair = [dossier_in("submitted", domain=domain) for _ in range(2)]
    agents = [UserFactory(ars=True, regions=[dossier.establishment.region]) for dossier in pair]
    outcomes = at_once(
        *[
            lambda dossier=dossier, by=by: actions.accept(dossier, by=by, version=1)
            for dossier, by in zip(pair, agents, strict=True)
        ]
    )
    assert refusals(outcomes) == []
    assert Commitment.objects.count() == 2
    assert sorted(entry.data["over"] for entry in Entry.objects.filter(verb="accept")) == [0, 1_000_000]
    assert list(Letter.objects.filter(name="envelope_near").values_list("recipient", flat=True)) == [ans.email]


def test_two_validations_at_the_edge_never_pass_it_unnoticed():
    ans, domain = UserFactory(ans=True), domain_that_pays(envelope=4_000_000)
    pair = [dossier_in("under_control", domain=domain, requested=800_000, lines=[line(2_500_000)]) for _ in range(2)]
    for dossier in pair:
        decide(dossier, by=ans)
    outcomes = at_once(*[lambda dossier=dossier: validate(dossier, by=ans) for dossier in pair])
    [refused] = refusals(outcomes)
    assert "dépassée de 10\u00a0000\u00a0€" in str(refused)
    assert rules.consumption(domain).over == 0
    assert sorted(now(dossier).state for dossier in pair) == ["under_control", "validated"]
