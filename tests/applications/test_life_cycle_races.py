"""Two decide at once: one wins, the other is told; a fault in the middle leaves nothing behind."""

import pytest
from django.db import DatabaseError

from applications.actions import NotNow
from applications.models import Application
from ecare.journal.actions import broken_links
from ecare.journal.models import Entry
from ecare.letters.models import Letter
from tests.applications.life_cycle import dossier, people, perform, traces
from tests.factories import EstablishmentFactory
from tests.faults import break_inserts_into
from tests.racing import at_once

PAIRS = [
    ("submitted", ("accept", "ars"), ("reject", "ars")),
    ("submitted", ("accept", "ars"), ("request_changes", "ars")),
    ("submitted", ("request_changes", "ars"), ("reject", "ars")),
    ("submitted", ("accept", "ars"), ("accept", "ars")),
    ("submitted", ("accept", "ars"), ("withdraw", "owner")),
    ("draft", ("submit", "owner"), ("submit", "owner")),
    ("under_control", ("accept", "ans"), ("reject", "ans")),
    ("under_control", ("send_back", "ans"), ("abandon", "ans")),
    ("validated", ("record_payment", "ans"), ("abandon", "ans")),
]


def race(application, *deeds):
    """Each (verb, person), started together; what each ended with."""

    def do(verb, by):
        perform(verb, Application.objects.get(pk=application.pk), by=by, version=application.version)
        return verb

    return at_once(*[lambda deed=deed: do(*deed) for deed in deeds])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("state", "one", "other"), PAIRS)
def test_of_two_who_decide_at_once_exactly_one_wins(state, one, other):
    cast = people(EstablishmentFactory())
    application = dossier(state, owner=cast["owner"])
    outcomes = race(application, (one[0], cast[one[1]]), (other[0], cast[other[1]]))

    won = [outcome for outcome in outcomes if isinstance(outcome, str)]
    told = [outcome for outcome in outcomes if isinstance(outcome, NotNow)]
    assert (len(won), len(told)) == (1, 1), outcomes
    assert "a changé depuis" in str(told[0])
    assert Application.objects.get(pk=application.pk).version == application.version + 1
    assert Entry.objects.get(subject=application.subject).verb == won[0]
    assert not list(broken_links(application.subject))


@pytest.mark.django_db
@pytest.mark.parametrize("broken", [Entry, Letter])
@pytest.mark.parametrize(
    ("verb", "state", "role"),
    [
        ("submit", "draft", "owner"),
        ("submit", "declaration_open", "owner"),
        ("request_changes", "submitted", "ars"),
        ("accept", "declaration_submitted", "ars"),
        ("reject", "under_control", "ans"),
    ],
)
def test_a_fault_in_the_middle_of_a_move_rolls_all_of_it_back(verb, state, role, broken):
    cast = people(EstablishmentFactory())
    application = dossier(state, owner=cast["owner"])
    before = traces(application)
    break_inserts_into(broken)
    with pytest.raises(DatabaseError, match="fault"):
        perform(verb, application, by=cast[role])
    assert traces(application) == before
