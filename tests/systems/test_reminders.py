"""Whoever answers for a system is written to before its token ends, once for each threshold."""

from datetime import timedelta

import pytest
from django.utils import timezone

from ecare.letters.models import Letter
from systems import actions
from systems.models import System
from systems.reminders import is_still_true
from systems.tasks import remind

pytestmark = pytest.mark.django_db
START = "2026-01-10T10:00:00+01:00"


def run(time_machine, days: int) -> int:
    time_machine.move_to(timezone.datetime.fromisoformat(START) + timedelta(days=days), tick=False)
    return remind() + remind()


def test_thirty_and_seven_days_before_once_each(time_machine, issue, system):
    time_machine.move_to(START, tick=False)
    token, value = issue(days=100, label="Chargement de nuit")
    told = {day: run(time_machine, day) for day in (0, 69, 70, 71, 92, 93, 94, 100, 101)}
    assert {day for day, count in told.items() if count} == {70, 93} and sum(told.values()) == 2
    letters = list(Letter.objects.filter(name="token_expiring").order_by("created_at"))
    assert [letter.recipient for letter in letters] == [system.contact] * 2
    for letter in letters:
        assert "20 avril 2026" in letter.title and "Chargement de nuit" in letter.text and token.prefix in letter.text
        assert value not in letter.text + letter.html and letter.subject == system.subject
        assert letter.link.endswith("/api/")


def test_not_before_the_morning(time_machine, issue):
    time_machine.move_to(START, tick=False)
    issue(days=100)
    time_machine.move_to("2026-03-21T07:29:00+01:00", tick=False)
    assert remind() == 0
    time_machine.move_to("2026-03-21T07:30:00+01:00", tick=False)
    assert remind() == 1


@pytest.mark.parametrize(("days", "expected"), [(3, 0), (7, 0), (8, 1), (30, 1), (31, 2)])
def test_a_short_life_was_chosen_knowing_it(time_machine, issue, days, expected):
    time_machine.move_to(START, tick=False)
    issue(days=days)
    for day in range(days + 1):
        run(time_machine, day)
    assert Letter.objects.filter(name="token_expiring").count() == expected


def test_a_letter_that_became_untrue_does_not_leave(time_machine, issue, system, administrator):
    time_machine.move_to(START, tick=False)
    token, _ = issue(days=40)
    assert run(time_machine, 12) == 1
    letter = Letter.objects.get(name="token_expiring")
    assert is_still_true(letter, timezone.now())
    System.objects.filter(pk=system.pk).update(contact="autre@exemple.fr")
    assert not is_still_true(letter, timezone.now())
    System.objects.filter(pk=system.pk).update(contact=system.contact, is_active=False)
    assert not is_still_true(letter, timezone.now()) and run(time_machine, 34) == 0
    System.objects.filter(pk=system.pk).update(is_active=True)
    actions.revoke_token(token, by=administrator, at=timezone.now())
    assert not is_still_true(letter, timezone.now()) and run(time_machine, 35) == 0
