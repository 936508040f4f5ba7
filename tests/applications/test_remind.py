"""Reminders: J-14, J-7 and J-2 of a step never sent, J+7 and J+14 of a correction that is awaited; one each, in Paris
days, asked about once more when they leave."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.core import mail

from accounts.models import User
from applications import actions, reminders, rules
from applications.models import Application, ChangeRequest, Domain
from applications.reminders import remind
from applications.rules import Occasion, Reminder, reminder_due
from applications.states import Desk, State
from applications.tasks import remind as task
from ecare.clock import PARIS
from ecare.letters.actions import deliver, gather
from ecare.letters.models import Letter
from tests.factories import ApplicationFactory, DomainFactory, FormFactory, UserFactory

pytestmark = pytest.mark.django_db

LAST = date(2026, 12, 15)
LONG_AGO = datetime(2026, 10, 1, 12, tzinfo=UTC)


def paris(day, hour=8, minute=0):
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=PARIS)


def before(days, hour=8):
    """So many days before the last one."""
    return paris(LAST - timedelta(days=days), hour)


def draft(last=LAST, state=State.DRAFT, begun=LONG_AGO, **fields):
    domain = DomainFactory(candidature_until=last, declaration_until=last)
    return ApplicationFactory(domain=domain, state=state, created_at=begun, moved_at=begun, **fields)


def asked(on=LONG_AGO, state=State.CHANGES_REQUESTED):
    application = draft(state=state)
    ChangeRequest.objects.create(
        application=application,
        step=application.step,
        desk=Desk.ARS,
        by=UserFactory(ars=True),
        at=on,
        message="Le RIB.",
    )
    return application


def leave(at):
    with time_machine.travel(at, tick=False):
        deliver(), gather(), deliver()


# --- which day calls for which --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("days", "threshold"),
    [(30, None), (15, None), (14, 14), (13, 14), (8, 14), (7, 7), (3, 7), (2, 2), (1, 2), (0, 2), (-1, None)],
)
@pytest.mark.parametrize("state", [State.DRAFT, State.DECLARATION_OPEN])
def test_a_step_never_sent(state, days, threshold):
    due = reminder_due(draft(state=state), None, before(days))
    assert due == (threshold and Reminder(Occasion.FIRST_SENDING, LAST, threshold))


@pytest.mark.parametrize(
    ("days", "threshold"), [(0, None), (6, None), (7, 7), (8, 7), (13, 7), (14, 14), (15, 14), (60, 14)]
)
@pytest.mark.parametrize("state", [State.CHANGES_REQUESTED, State.DECLARATION_CHANGES_REQUESTED])
def test_a_correction_that_is_awaited(state, days, threshold):
    asked = ChangeRequest(at=datetime(2026, 10, 1, 22, 30, tzinfo=UTC))  # the 2nd in Paris
    due = reminder_due(draft(state=state), asked, paris(date(2026, 10, 2) + timedelta(days=days)))
    assert due == (threshold and Reminder(Occasion.CORRECTION, date(2026, 10, 2), threshold))


@pytest.mark.parametrize(("days", "threshold"), [(8, None), (7, 7), (3, 7), (2, 2), (0, 2), (-1, -1), (-30, -1)])
def test_a_correction_with_a_due_date(days, threshold):
    """Before it, and once it is over: nothing closes by itself."""
    asked = ChangeRequest(at=datetime(2026, 10, 1, 22, 30, tzinfo=UTC), due_on=date(2026, 11, 2))
    due = reminder_due(draft(state=State.CHANGES_REQUESTED), asked, paris(date(2026, 11, 2) - timedelta(days=days)))
    assert due == (threshold and Reminder(Occasion.DUE_CORRECTION, date(2026, 11, 2), threshold))


def test_a_short_due_date_calls_for_no_reminder_of_a_day_that_was_past():
    asked = ChangeRequest(at=datetime(2026, 10, 30, 12, tzinfo=UTC), due_on=date(2026, 11, 2))
    on = {
        day: reminder_due(draft(state=State.CHANGES_REQUESTED), asked, paris(date(2026, 10, day))) for day in (30, 31)
    }
    assert (on[30], on[31].threshold) == (None, 2)


@pytest.mark.parametrize("state", sorted(set(State) - {State.DRAFT, State.DECLARATION_OPEN}))
def test_no_other_state_calls_for_anything(state):
    assert reminder_due(draft(state=state), None, before(2)) is None


@pytest.mark.parametrize(
    ("begun", "days", "threshold"),
    [(20, 14, 14), (14, 14, None), (10, 10, None), (10, 7, 7), (7, 7, None), (3, 2, 2), (2, 2, None), (1, 1, None)],
)
def test_who_begins_late_is_not_reminded_of_a_day_that_was_past(begun, days, threshold):
    due = reminder_due(draft(begun=before(begun)), None, before(days))
    assert (due and due.threshold) == threshold


def test_without_a_last_day_nobody_is_reminded():
    assert reminder_due(draft(last=None), None, before(2)) is None


@pytest.mark.parametrize(
    ("last", "first", "is_due"),
    [
        # the clocks change on the day before the threshold: 23 h, then 25 h
        (date(2026, 4, 13), datetime(2026, 3, 29, 21, 59, 59, tzinfo=UTC), False),
        (date(2026, 4, 13), datetime(2026, 3, 29, 22, 0, tzinfo=UTC), True),
        (date(2026, 11, 9), datetime(2026, 10, 25, 22, 59, 59, tzinfo=UTC), False),
        (date(2026, 11, 9), datetime(2026, 10, 25, 23, 0, tzinfo=UTC), True),
        # and on the threshold itself
        (date(2026, 4, 12), datetime(2026, 3, 28, 23, 0, tzinfo=UTC), True),
        (date(2026, 11, 8), datetime(2026, 10, 24, 22, 0, tzinfo=UTC), True),
    ],
)
def test_days_are_those_of_paris_on_both_days_on_which_clocks_change(last, first, is_due):
    application = draft(last=last, begun=datetime(2026, 1, 1, tzinfo=UTC))
    assert (reminder_due(application, None, first) is not None) == is_due


# --- written once -------------------------------------------------------------------------------------------------
def test_each_threshold_is_written_once_however_often_the_worker_runs():
    draft(), asked(on=before(21))
    for days in range(20, -3, -1):
        for hour in (0, 7, 8, 12, 23):
            remind(before(days, hour))
    kept = Letter.objects.filter(name="reminder").values_list("once", flat=True)
    assert sorted(key.split(":", 2)[2] for key in kept) == sorted(
        [
            "first sending:2026-12-15:14",
            "first sending:2026-12-15:7",
            "first sending:2026-12-15:2",
            "correction:2026-11-24:7",
            "correction:2026-11-24:14",
        ]
    )


def test_nothing_is_written_at_night():
    draft()
    assert remind(before(7, hour=0)) == 0 and remind(paris(LAST - timedelta(days=7), 7, 29)) == 0
    assert remind(paris(LAST - timedelta(days=7), 7, 30)) == 1


def test_a_worker_that_was_down_writes_the_tightest_only():
    draft()
    assert remind(before(1)) == 1
    assert Letter.objects.get().once.endswith(":2")


def test_an_extension_counts_anew():
    application = draft()
    remind(before(2))
    Domain.objects.filter(pk=application.domain_id).update(candidature_until=LAST + timedelta(days=12))
    assert remind(before(2)) == 1
    assert set(Letter.objects.values_list("once", flat=True)) == {
        f"{application.subject}:first sending:2026-12-15:2",
        f"{application.subject}:first sending:2026-12-27:14",
    }


def test_two_workers_write_one():
    """The second looked before the first had written; the table refuses what it adds."""
    application = draft()
    assert [reminders.remind_of(application, before(7)) for _ in range(2)] == [True, False]
    assert Letter.objects.about(application.subject).count() == 1


def test_one_that_fails_holds_back_no_other():
    broken, whole = draft(), draft()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reminders.emails, "reminder", _fails_for(broken, reminders.emails.reminder))
        assert remind(before(7)) == 1
    assert Letter.objects.get().subject == whole.subject


def _fails_for(broken, write):
    def reminder(application, *arguments, **named):
        if application.pk == broken.pk:
            raise ValueError("no words")
        return write(application, *arguments, **named)

    return reminder


def test_who_left_is_not_written_to():
    application = draft()
    User.objects.filter(pk=application.referent_id).update(is_active=False)
    assert remind(before(7)) == 0


# --- what it says -------------------------------------------------------------------------------------------------
def test_it_says_which_dossier_what_is_missing_and_until_when(settings):
    application = draft()
    form = FormFactory(
        domain=application.domain,
        number=2,
        questions=[{"key": "iban", "label": "IBAN du compte"}, {"key": "bic", "label": "BIC"}, {"is_required": False}],
    )
    Application.objects.filter(pk=application.pk).update(candidature_form=form)
    remind(before(7))
    letter = Letter.objects.get()
    assert application.reference in letter.title and "NON TRANSMISE" in letter.title
    assert "15 décembre 2026" in letter.title
    for words in (
        application.domain.name,
        application.establishment.name,
        "il manquait 2 réponses obligatoires sur 2",
        "- IBAN du compte\n- BIC",
        "15 décembre 2026, jusqu’à 23\u00a0h\u00a059 (heure de Paris)",
        f"{settings.SITE_ADDRESS}/candidatures/{application.reference}/",
    ):
        assert words in letter.text, words
    assert letter.link == f"{settings.SITE_ADDRESS}/candidatures/{application.reference}/"


def test_a_complete_step_is_only_to_be_sent():
    draft()
    remind(before(7))
    assert "Toutes les questions obligatoires ont une réponse." in Letter.objects.get().text


def test_a_correction_repeats_what_was_asked():
    application = asked(on=before(21))
    remind(before(14))
    letter = Letter.objects.get()
    assert letter.title == f"Correction attendue – candidature n°\u00a0{application.reference}"
    assert "Le RIB." in letter.text and "Le 24 novembre 2026" in letter.text


# --- asked about once more when it leaves -------------------------------------------------------------------------
def sent(application, at):
    actions.submit(application, by=application.referent, version=application.version, at=at)


def extended(application, at):
    Domain.objects.filter(pk=application.domain_id).update(candidature_until=LAST + timedelta(days=30))


def transferred(application, at):
    colleague = UserFactory(establishment=application.establishment)
    Application.objects.filter(pk=application.pk).update(referent=colleague)


def withdrawn(application, at):
    actions.withdraw(application, by=application.referent, version=application.version)


def left(application, at):
    User.objects.filter(pk=application.referent_id).update(is_active=False)


def nothing(application, at):
    pass


@pytest.mark.parametrize("change", [sent, extended, transferred, withdrawn, left, nothing])
@pytest.mark.parametrize("daily", [False, True])
def test_what_happened_since_it_was_written_counts(change, daily):
    application = draft()
    User.objects.filter(pk=application.referent_id).update(wants_daily_letter=daily)
    at = paris(LAST - timedelta(days=7), 7, 30)
    assert remind(at) == 1
    application = Application.objects.get(pk=application.pk)
    change(application, at + timedelta(minutes=1))
    leave(at + timedelta(minutes=5)), leave(at + timedelta(minutes=31))
    told = [m for m in mail.outbox if "NON TRANSMISE" in m.subject + m.body]
    assert len(told) == (change is nothing)
    assert Letter.objects.get(name="reminder").state == (
        "cancelled" if change is not nothing else "gathered" if daily else "sent"
    )


def test_a_reminder_that_waited_for_the_mail_server_past_the_last_day_never_leaves():
    draft()
    remind(before(2))
    leave(before(-1))
    assert mail.outbox == [] and Letter.objects.get().state == "cancelled"


def test_a_correction_sent_meanwhile_is_not_asked_again():
    application = asked(on=before(21))
    remind(before(14))
    ChangeRequest.objects.update(answered_at=before(14))
    leave(before(14))
    assert mail.outbox == [] and Letter.objects.about(application.subject).get().state == "cancelled"


def test_the_reminder_of_the_morning_stands_in_the_daily_letter_of_the_morning():
    application = draft(referent=UserFactory(wants_daily_letter=True))
    at = paris(LAST - timedelta(days=2), 7, 30)
    remind(at)
    leave(at + timedelta(seconds=2)), leave(at + timedelta(minutes=30))
    [digest] = mail.outbox
    assert application.reference in digest.body and "quotidien" in digest.subject


@pytest.mark.parametrize("count", [1, 3])
def test_a_day_without_reminders_costs_the_same_however_many_drafts(count, django_assert_num_queries):
    for _ in range(count):
        draft()
    with django_assert_num_queries(2):
        assert remind(before(20)) == 0


def test_the_worker_calls_it(monkeypatch):
    draft()
    with time_machine.travel(before(7), tick=False):
        assert task() == 1
    assert rules.DAYS_BEFORE_A_LAST_DAY == (14, 7, 2) and rules.DAYS_AFTER_A_REQUEST == (7, 14)
