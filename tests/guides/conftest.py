"""The portal as the guides show it: one day, one demo, the same each time."""

import random
import secrets
import sqlite3
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.management import call_command

from ecare.letters.models import Letter
from tests.conftest import load_once
from tests.guides.walk import Walk

NOW = datetime(2026, 3, 16, 10, 30, tzinfo=ZoneInfo("Europe/Paris"))
LOADED = NOW - timedelta(days=6)  # the dossiers have waited since


def pytest_addoption(parser):
    parser.addoption("--take-pictures", action="store_true", help="Take the pictures of the guides anew (make guides).")


class Drawn(random.Random):
    """In the place of `secrets`, where what it draws is shown."""

    randbelow = random.Random.randrange
    compare_digest = staticmethod(secrets.compare_digest)


@pytest.fixture
def drawn(monkeypatch):
    drawn = Drawn(1)
    for module in ("applications.models.application", "accounts.captcha"):
        monkeypatch.setattr(f"{module}.secrets", drawn)
    return drawn


@pytest.fixture
def clock():
    """The days of the guides; it stands still."""
    with time_machine.travel(LOADED, tick=False) as traveller:
        yield traveller


@pytest.fixture(scope="session")
def kept_demo(tmp_path_factory):
    """The demo of that day as it was first loaded by this process: its database and its vault."""
    kept = sqlite3.connect(":memory:", check_same_thread=False)
    yield kept, tmp_path_factory.mktemp("guides") / "vault"
    kept.close()


def _load() -> None:
    """Its letters were all written at the same instant, and are listed by it."""
    call_command("load_demo", verbosity=0)
    letters = sorted(Letter.objects.all(), key=lambda letter: (letter.title, letter.recipient, letter.name))
    for rank, letter in enumerate(letters):
        Letter.objects.filter(pk=letter.pk).update(created_at=letter.created_at + timedelta(milliseconds=rank))


@pytest.fixture
def demo(transactional_db, settings, kept_demo, clock, drawn):
    load_once(kept_demo, settings, _load)
    drawn.seed(2)
    clock.move_to(NOW)


@pytest.fixture
def walk(request, page, monkeypatch, settings, demo, live_server, signed_in):
    """`walk(guide)`: somebody at a browser on that day, who takes the pictures of a guide or compares its words."""
    monkeypatch.setattr("captcha.conf.settings.CAPTCHA_NOISE_FUNCTIONS", ())
    monkeypatch.setattr("captcha.conf.settings.CAPTCHA_LETTER_ROTATION", None)
    settings.SITE_ADDRESS = "https://convergence.esante.gouv.fr"
    page.clock.set_fixed_time(NOW)
    walks = []

    def begin(guide: str) -> Walk:
        walks.append(
            Walk(page, live_server, signed_in, guide, takes=request.config.getoption("--take-pictures", False))
        )
        return walks[0]

    yield begin
    assert walks[0].complaints == []
