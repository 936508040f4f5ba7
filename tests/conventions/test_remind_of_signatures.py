"""J+7 and J+21 after acceptance, or a refusal, while the establishment has yet to sign; one each, in Paris days."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from applications.models import Application
from conventions import actions, reminders
from conventions.rules import SignatureReminder, reminder_due
from ecare.clock import PARIS
from ecare.letters.actions import deliver
from ecare.letters.models import Letter
from tests.conventions.conftest import now, send
from tests.factories import ApplicationFactory, UserFactory

pytestmark = pytest.mark.django_db

ACCEPTED = date(2026, 11, 2)


def paris(day, hour=8, minute=0):
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=PARIS)


def after(days, hour=8, since=ACCEPTED):
    return paris(since + timedelta(days=days), hour)


@pytest.fixture
def accepted(accepted):
    Application.objects.filter(pk=accepted.pk).update(moved_at=paris(ACCEPTED, 23, 59))
    return now(accepted)


def work(at, *, writes=True):
    """The worker's round at that instant: reminders, then letters leave."""
    with time_machine.travel(at, tick=False):
        if writes:
            reminders.remind(at)
        deliver()


def written():
    return list(Letter.objects.filter(name="signature_reminder").order_by("created_at"))


@pytest.mark.parametrize(
    ("days", "threshold"), [(0, None), (6, None), (7, 7), (8, 7), (20, 7), (21, 21), (22, 21), (90, 21)]
)
def test_which_day_calls_for_which(accepted, days, threshold):
    due = reminder_due(accepted, None, after(days))
    assert due == (threshold and SignatureReminder(ACCEPTED, threshold))


@pytest.mark.parametrize("state", ["draft", "submitted", "convention_signed", "declaration_open", "abandoned"])
def test_no_other_state_calls_for_anything(state):
    assert reminder_due(ApplicationFactory(state=state, moved_at=after(0)), None, after(30)) is None


@pytest.mark.parametrize(
    ("accepted_on", "first", "is_due"),
    [  # the clocks change between the two
        (date(2026, 3, 27), datetime(2026, 4, 2, 21, 59, 59, tzinfo=UTC), False),
        (date(2026, 3, 27), datetime(2026, 4, 2, 22, tzinfo=UTC), True),
        (date(2026, 10, 23), datetime(2026, 10, 29, 22, 59, 59, tzinfo=UTC), False),
        (date(2026, 10, 23), datetime(2026, 10, 29, 23, tzinfo=UTC), True),
    ],
)
def test_days_are_those_of_paris(accepted, accepted_on, first, is_due):
    accepted.moved_at = paris(accepted_on, 0, 1)
    assert (reminder_due(accepted, None, first) is not None) == is_due


def test_each_is_written_once_however_often_the_worker_runs(accepted, cast):
    assert reminders.remind(after(7, hour=7)) == 0, "before the hour"
    assert [reminders.remind(after(days)) for days in (6, 7, 7, 8, 21, 22, 40)] == [0, 1, 0, 0, 1, 0, 0]
    assert {letter.recipient for letter in written()} == {cast["owner"].email}
    assert (
        "2 novembre 2026" in written()[0].text
        and f"/candidatures/{accepted.reference}/convention/" in written()[0].text
    )


def test_a_refusal_counts_anew_and_its_reason_is_recalled(accepted, cast):
    reminders.remind(after(7))
    send(accepted, at=after(8))
    assert reminders.remind(after(21)) == 0, "the ANS has it"
    version = now(accepted).version
    actions.refuse_copy(accepted, by=cast["ans"], version=version, message="La date manque.", at=after(25))
    assert [reminders.remind(after(25 + days)) for days in (0, 6, 7, 21)] == [0, 0, 1, 1]
    assert "La date manque." in written()[-1].text


def test_one_that_waited_too_long_to_leave_does_not_leave(accepted):
    with time_machine.travel(after(7), tick=False):
        reminders.remind(after(7))
        send(accepted, at=after(7))
    Letter.objects.filter(name="signature_reminder").update(state=Letter.State.QUEUED)  # as if nobody had cancelled it
    work(after(7, hour=10), writes=False)
    assert written()[0].state == Letter.State.CANCELLED


def test_it_leaves_while_it_is_true_and_for_whoever_holds_the_dossier(accepted):
    work(after(7))
    assert written()[0].state == Letter.State.SENT
    with time_machine.travel(after(21), tick=False):
        reminders.remind(after(21))
    Application.objects.filter(pk=accepted.pk).update(referent=UserFactory(establishment=accepted.establishment))
    work(after(21, hour=9), writes=False)
    assert written()[1].state == Letter.State.CANCELLED


def test_who_can_no_longer_sign_in_is_not_written_to(accepted, cast):
    cast["owner"].is_active = False
    cast["owner"].save()
    assert reminders.remind(after(7)) == 0


@pytest.mark.parametrize("count", [1, 3])
def test_a_round_with_nothing_to_write_costs_the_same(accepted, django_assert_num_queries, count):
    ApplicationFactory.create_batch(count, state="accepted", moved_at=after(0))
    reminders.remind(after(7))
    with django_assert_num_queries(2):
        assert reminders.remind(after(7)) == 0
