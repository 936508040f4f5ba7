"""The Monday letter of agents: once a week, what waited at 8 in Paris and still does, the late ones by their name."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail

from accounts.models import User
from applications import digests
from applications.digests import monday_of, write_digests
from applications.models import Application
from applications.states import AWAITS_ANS, AWAITS_ARS, State
from applications.tasks import write_digests as task
from ecare.clock import PARIS
from ecare.letters.actions import deliver
from ecare.letters.models import Letter
from tests.factories import ApplicationFactory, DomainFactory, FormFactory, RegionFactory, UserFactory

pytestmark = pytest.mark.django_db

MONDAY = datetime(2026, 11, 23, 8, tzinfo=PARIS)


@pytest.fixture(autouse=True)
def monday(time_machine):
    time_machine.move_to(MONDAY, tick=False)
    return time_machine


def agent(trait="ars", **changes):
    if trait == "ars":
        changes = {"regions": [RegionFactory()]} | changes
    return UserFactory(**{trait: True}, date_joined=MONDAY - timedelta(days=90), **changes)


def dossier(state=State.SUBMITTED, *, days=3, **changes):
    return ApplicationFactory(state=state, moved_at=MONDAY - timedelta(days=days), **changes)


def dossiers_of(domain, *ages):
    form = FormFactory(domain=domain)
    return [dossier(days=days, domain=domain, candidature_form=form) for days in ages]


def letters():
    return list(Letter.objects.filter(name="desk_digest").order_by("recipient"))


def text():
    [letter] = letters()
    return letter.text.replace("\u00a0", " ")


# --- when ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("at", "is_due"),
    [
        (MONDAY - timedelta(seconds=1), False),
        (MONDAY, True),
        (MONDAY + timedelta(hours=47), True),
        (MONDAY + timedelta(days=2), False),
        (MONDAY - timedelta(days=1), False),
        (datetime(2026, 7, 20, 5, 59, tzinfo=UTC), False),
        (datetime(2026, 7, 20, 6, 0, tzinfo=UTC), True),  # summer: two hours ahead
    ],
)
def test_from_monday_at_8_in_paris_for_two_days(at, is_due):
    agent_ = agent()
    User.objects.filter(pk=agent_.pk).update(date_joined=datetime(2026, 1, 1, tzinfo=UTC))
    Application.objects.filter(pk=dossier().pk).update(moved_at=at - timedelta(days=9))
    assert write_digests(at) == int(is_due)


@pytest.mark.parametrize("day", ["2026-11-23T08:00", "2026-11-25T12:00", "2026-11-29T23:59"])
def test_the_week_begins_on_monday(day):
    assert monday_of(datetime.fromisoformat(day).replace(tzinfo=PARIS)) == MONDAY


def test_once_a_week_however_often_the_worker_starts(monday):
    agent()
    dossier()
    assert [write_digests(MONDAY + timedelta(minutes=5 * rank)) for rank in range(4)] == [1, 0, 0, 0]
    assert task() == 0
    monday.move_to(MONDAY + timedelta(days=7))
    assert write_digests(MONDAY + timedelta(days=7)) == 1
    assert len({letter.once for letter in letters()}) == 2


def test_what_came_after_8_waits_for_the_next_week():
    agent()
    dossier(days=-0.1)
    assert write_digests(MONDAY + timedelta(hours=6)) == 0


# --- to whom ------------------------------------------------------------------------------------------------------
def test_nothing_where_nothing_waits():
    for trait in ("ars", "ans", "administrator"):
        agent(trait)
    for state in set(State) - {*AWAITS_ARS, *AWAITS_ANS}:
        dossier(state)
    assert write_digests(MONDAY) == 0


@pytest.mark.parametrize("state", [*AWAITS_ARS, *AWAITS_ANS])
def test_each_desk_reads_of_its_own(state):
    ars, ans, _ = agent(), agent("ans"), agent("administrator")
    found = dossier(state)
    if state == State.ACCEPTED:
        assert write_digests(MONDAY) == 0, "the establishment is to sign"
        Application.objects.filter(pk=found.pk).update(signed_copy_at=MONDAY)
    assert write_digests(MONDAY) == 1
    assert [letter.recipient for letter in letters()] == [(ars if state in AWAITS_ARS else ans).email]


def test_an_ars_reads_of_its_regions_alone():
    agent(regions=[RegionFactory(code="75")])
    here = agent()
    dossier()
    write_digests(MONDAY)
    assert [letter.recipient for letter in letters()] == [here.email]


@pytest.mark.parametrize("changes", [{"is_active": False}, {"wants_weekly_letter": False}])
def test_neither_to_somebody_deactivated_nor_to_whoever_turned_it_off(changes):
    agent(**changes)
    dossier()
    assert write_digests(MONDAY) == 0


def test_whoever_came_after_monday_reads_the_next_one():
    newcomer = agent()
    User.objects.filter(pk=newcomer.pk).update(date_joined=MONDAY + timedelta(hours=1))
    dossier()
    assert write_digests(MONDAY + timedelta(hours=2)) == 0


# --- what ---------------------------------------------------------------------------------------------------------
def test_counts_per_domain_the_oldest_and_the_late():
    agent()
    first, second = DomainFactory(name="Audits", position=1), DomainFactory(name="Continuité", position=2)
    late, oldest = dossiers_of(second, 16, 40)
    [fresh] = dossiers_of(first, 15)
    write_digests(MONDAY)
    said = text()
    assert "Objet" not in said and "3 dossiers attendent sur votre bureau" in said
    assert f"Audits, 1 dossier : http://127.0.0.1:8000/verification/?domaine={first.slug}" in said
    assert f"Continuité, 2 dossiers : http://127.0.0.1:8000/verification/?domaine={second.slug}" in said
    assert said.index("Audits") < said.index("Continuité")
    assert "Le plus ancien attend depuis 40 jours" in said
    _, _, named = said.partition("En retard, depuis plus de 15 jours")
    assert f"{late.reference}, " in named and "16 jours" in named and f"{oldest.reference}, " in named
    assert fresh.reference not in named, "fifteen days are not more than fifteen"
    assert letters()[0].title.replace("\u00a0", " ") == "En retard : 2 – 3 dossiers sur votre bureau"


def test_nothing_late_says_nothing_of_it():
    agent()
    dossier(days=1)
    write_digests(MONDAY)
    assert "retard" not in text() and "Ce lundi, un dossier attend" in text()


def test_the_limit_is_a_setting(settings):
    settings.LATE_AFTER_DAYS = 2
    agent()
    dossier(days=3)
    write_digests(MONDAY)
    assert "En retard, depuis plus de 2 jours" in text()


def test_many_late_ones_are_counted_beyond_the_first_twenty():
    agent()
    dossiers_of(DomainFactory(), *range(20, 42))
    write_digests(MONDAY)
    assert "… et 2 de plus" in text() and text().count(" jours : http") == 20


def test_the_days_are_those_of_paris():
    """Late on a Friday night in Paris, still Friday elsewhere."""
    agent()
    ApplicationFactory(state=State.SUBMITTED, moved_at=datetime(2026, 11, 20, 23, 30, tzinfo=UTC))
    write_digests(MONDAY)
    assert "attend depuis 2 jours" in text()


# --- when it leaves -----------------------------------------------------------------------------------------------
def test_it_leaves_at_once_also_for_whoever_wants_one_letter_a_day():
    agent(wants_daily_letter=True)
    dossier()
    write_digests(MONDAY)
    assert deliver() == 1 and "dossier" in mail.outbox[0].subject


@pytest.mark.parametrize("what", ["decided", "deactivated", "turned off"])
def test_it_does_not_leave_once_it_is_untrue(what):
    person, waiting = agent(), dossier()
    write_digests(MONDAY)
    if what == "decided":
        Application.objects.filter(pk=waiting.pk).update(state=State.WITHDRAWN)
    elif what == "deactivated":
        User.objects.filter(pk=person.pk).update(is_active=False)
    else:
        User.objects.filter(pk=person.pk).update(wants_weekly_letter=False)
    assert deliver() == 0
    assert letters()[0].state == "cancelled"


def test_one_that_cannot_be_written_holds_back_no_other(monkeypatch):
    broken, whole = agent(), agent()
    dossier()
    write = digests.emails.desk_digest

    def desk_digest(person, *arguments, **named):
        if person == broken:
            raise ValueError
        return write(person, *arguments, **named)

    monkeypatch.setattr(digests.emails, "desk_digest", desk_digest)
    assert write_digests(MONDAY) == 1
    assert [letter.recipient for letter in letters()] == [whole.email]
    monkeypatch.undo()
    assert write_digests(MONDAY) == 1, "the next tick tries again"


@pytest.mark.parametrize("count", [1, 3])
def test_the_letters_cost_the_same_however_many_dossiers(django_assert_num_queries, count):
    agent()
    for _ in range(count):
        dossier()
    with django_assert_num_queries(8):
        write_digests(MONDAY)
