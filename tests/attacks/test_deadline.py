"""A référent who wants to be late: nothing that the browser says, or holds back, moves a deadline."""

from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode

import pytest
import time_machine
from django.urls import reverse

from applications.models import Application
from tests.factories import ApplicationFactory, DomainFactory, FormFactory, UserFactory

pytestmark = pytest.mark.django_db

LAST_DAY, LAST_MINUTE = date(2026, 11, 20), datetime(2026, 11, 20, 22, 59, tzinfo=UTC)  # 23 h 59 in Paris
TYPE = "application/x-www-form-urlencoded"


class HeldBack:
    """A body whose last byte comes two hours after the head of the request."""

    def __init__(self, clock, body: bytes):
        self.clock, self.body = clock, body

    def read(self, size=-1):
        self.clock.shift(timedelta(hours=2))
        size = len(self.body) if size is None or size < 0 else size
        piece, self.body = self.body[:size], self.body[size:]
        return piece

    readline = read

    def close(self):
        pass


@pytest.fixture
def client(referent, signed_in):
    with time_machine.travel(LAST_MINUTE):
        return signed_in(referent)


@pytest.fixture
def referent(db):
    return UserFactory()


def post(client, address, data, *, is_held_back, **headers):
    body = urlencode(data).encode()
    with time_machine.travel(LAST_MINUTE, tick=False) as clock:
        extra = {"wsgi.input": HeldBack(clock, body)} if is_held_back else {}
        return client.generic("POST", address, body, TYPE, headers=headers, **extra)


@pytest.mark.parametrize(("is_held_back", "expected"), [(False, 302), (True, 409)])
def test_a_body_held_back_past_the_last_day_is_late(client, referent, is_held_back, expected):
    domain = DomainFactory(candidature_from=date(2026, 1, 1), candidature_until=LAST_DAY)
    dossier = ApplicationFactory(referent=referent, domain=domain)
    address = reverse("applications:submit", args=[dossier.reference])
    assert post(client, address, {"version": 1}, is_held_back=is_held_back).status_code == expected
    assert (Application.objects.get().state == "draft") == is_held_back


@pytest.mark.parametrize("is_held_back", [False, True])
def test_no_candidature_starts_with_a_body_held_back(client, is_held_back):
    domain = DomainFactory(candidature_from=date(2026, 1, 1), candidature_until=LAST_DAY)
    FormFactory(domain=domain)
    post(client, reverse("applications:start"), {"domain": domain.slug}, is_held_back=is_held_back)
    assert Application.objects.exists() != is_held_back


def test_the_browser_does_not_say_what_time_it_is(client, referent):
    domain = DomainFactory(candidature_from=date(2026, 1, 1), candidature_until=LAST_DAY - timedelta(days=1))
    dossier = ApplicationFactory(referent=referent, domain=domain)
    said = {"version": 1, "at": "2026-11-19T10:00:00Z", "date": "2026-11-19", "candidature_submitted_at": "2026-11-19"}
    address = reverse("applications:submit", args=[dossier.reference])
    answer = post(client, address, said, is_held_back=False, date="Thu, 19 Nov 2026 10:00:00 GMT")
    assert answer.status_code == 409
