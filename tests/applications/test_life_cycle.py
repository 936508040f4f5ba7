"""Every verb × every state × every role, against a table written by hand (`life_cycle.py`)."""

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from applications import actions, rules
from applications.actions import NotNow
from applications.models import Application, ChangeRequest, Submission
from applications.states import State
from ecare.journal.models import Entry
from ecare.letters.models import Letter
from tests.applications.life_cycle import (
    MOVES,
    ROLES,
    STATES,
    dossier,
    expected,
    people,
    perform,
    traces,
)
from tests.factories import DomainFactory, EstablishmentFactory

pytestmark = pytest.mark.django_db

REFUSALS = {"denied": PermissionDenied, "not now": NotNow}


@pytest.fixture
def cast():
    return people(EstablishmentFactory())


def test_the_table_names_every_state():
    assert sorted(STATES) == sorted(State.values)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("verb", MOVES)
def test_whoever_may_not_is_refused_and_nothing_is_written(verb, state, cast):
    application = dossier(state, owner=cast["owner"])
    before = traces(application)
    for role in ROLES:
        outcome = expected(verb, state, role)
        if outcome in REFUSALS:
            with pytest.raises(REFUSALS[outcome]):
                perform(verb, application, by=cast[role])
            assert traces(application) == before, f"{role} left a trace"


@pytest.mark.parametrize(
    ("verb", "state", "role", "target", "letters"),
    [(verb, state, *move) for verb, moves in MOVES.items() for state, move in moves.items()],
)
def test_whoever_may_moves_it_once_with_its_history_and_its_letters(verb, state, role, target, letters, cast):
    application = dossier(state, owner=cast["owner"])
    version = application.version
    perform(verb, application, by=cast[role])

    moved = Application.objects.get(pk=application.pk)
    assert (moved.state, moved.version) == (target, version + 1)
    entry = Entry.objects.get(subject=application.subject)
    assert (entry.verb, entry.from_state, entry.to_state) == (verb, state, target)
    assert (entry.actor, entry.actor_label) == cast[role].actor
    written = sorted(Letter.objects.about(application.subject).values_list("name", "recipient"))
    assert written == sorted((name, cast[whose].email) for name, whose in letters)


@pytest.mark.parametrize("verb", MOVES)
def test_a_page_that_showed_another_version_is_refused(verb, cast):
    state, (role, _target, _letters) = next(iter(MOVES[verb].items()))
    application = dossier(state, owner=cast["owner"])
    before = traces(application)
    with pytest.raises(NotNow, match="a changé depuis"):
        perform(verb, application, by=cast[role], version=application.version - 1)
    assert traces(application) == before


@pytest.mark.parametrize("state", STATES)
def test_the_buttons_follow_the_same_table(state, cast):
    application = dossier(state, owner=cast["owner"])
    for verb in MOVES:
        for role in ROLES:
            may_now = rules.may_now(cast[role], verb, application)
            assert may_now is (expected(verb, state, role) in STATES), (verb, role)


@pytest.mark.parametrize("state", STATES)
def test_only_the_worker_opens_a_declaration_and_only_once_it_is_signed(state, cast):
    application = dossier(state, owner=cast["owner"], domain=DomainFactory())
    before = traces(application)
    assert not any(rules.may(cast[role], "open_declaration", application) for role in ROLES if role != "nobody")
    opened = actions.open_declaration(application, at=timezone.now())
    assert opened is (state == "convention_signed")
    if not opened:
        assert traces(application) == before
        return
    moved = Application.objects.get(pk=application.pk)
    assert (moved.state, moved.version, moved.step) == ("declaration_open", application.version + 1, "declaration")
    entry = Entry.objects.get(subject=application.subject)
    assert (entry.verb, entry.from_state, entry.to_state) == (
        "open_declaration",
        "convention_signed",
        "declaration_open",
    )
    assert entry.actor == "system"
    assert list(Letter.objects.values_list("name", "recipient")) == [("declaration_opened", cast["owner"].email)]


def test_a_convention_opens_the_declaration_at_once_when_the_calendar_allows_it(cast):
    application = dossier("accepted", owner=cast["owner"], domain=DomainFactory())
    perform("sign_convention", application, by=cast["ans"])
    assert Application.objects.get(pk=application.pk).state == "declaration_open"
    verbs = list(Entry.objects.filter(subject=application.subject).values_list("verb", "actor"))
    assert verbs == [("sign_convention", cast["ans"].actor[0]), ("open_declaration", "system")]
    assert list(Letter.objects.values_list("name", flat=True)) == ["declaration_opened"]


def test_a_corrected_declaration_goes_back_to_the_desk_that_asked(cast):
    application = dossier("under_control", owner=cast["owner"])
    perform("request_changes", application, by=cast["ans"])
    asked = Application.objects.get(pk=application.pk)
    perform("submit", asked, by=cast["owner"])
    back = Application.objects.get(pk=application.pk)
    assert back.state == "under_control"
    assert ChangeRequest.objects.get(application=application).answered_at is not None
    assert Letter.objects.get(name="to_review").recipient == cast["ans"].email


def test_a_change_request_keeps_who_asked_and_what(cast):
    application = dossier("submitted", owner=cast["owner"])
    perform("request_changes", application, by=cast["ars"])
    request = ChangeRequest.objects.get(application=application)
    assert (request.desk, request.by, request.step) == ("ars", cast["ars"], "candidature")
    assert request.message == "Le RIB transmis ne correspond pas à l’IBAN."
    assert request.answered_at is None


@pytest.mark.parametrize("state", ["draft", "changes_requested", "declaration_open", "declaration_changes_requested"])
def test_each_sending_is_one_frozen_snapshot(state, cast):
    application = dossier(state, owner=cast["owner"])
    perform("submit", application, by=cast["owner"])
    sent = Submission.objects.filter(application=application).latest("pk")
    moved = Application.objects.get(pk=application.pk)
    assert (sent.step, sent.by) == (application.step, cast["owner"])
    assert moved.sendings == application.sendings + 1
    assert moved.candidature_submitted_at is not None


def test_a_withdrawal_closes_the_change_request(cast):
    application = dossier("changes_requested", owner=cast["owner"])
    perform("withdraw", application, by=cast["owner"])
    assert not ChangeRequest.objects.filter(answered_at=None).exists()
