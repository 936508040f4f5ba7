"""Many processes answer one token at once: the limit holds, and the row of the day counts each of them."""

import pytest
from django.utils import timezone

from systems import actions
from systems.models import Usage
from tests.racing import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_limit_holds_across_processes(settings, issue):
    settings.API_READINGS_PER_MINUTE = 5
    token, _ = issue()
    at = timezone.now()
    waits = at_once(*[lambda: actions.enter(token, at=at)] * 8)
    assert sorted(wait == 0 for wait in waits) == [False] * 3 + [True] * 5
    at_once(*[lambda: actions.note_reading(token, at=at, dossiers=10)] * 5)
    usage = Usage.objects.get()
    assert (usage.requests, usage.dossiers, usage.refusals, usage.in_minute) == (5, 50, 3, 5)
