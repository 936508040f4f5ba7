"""Nothing that was acknowledged is lost while servers die: a short day of `make chaos`, and proof that a loss is seen.

What protects it: one transaction for the move, its history and its letters; leases; the vault's rename after fsync; the
version that makes a second click harmless; the proxy that never sends a request twice.
"""

import time
from hashlib import sha256

import pytest

from deploy.chaos import Day, Dossier

PEOPLE, FAULTS = 3, 6


@pytest.fixture(scope="module")
def day(production):
    ended = Day(production, people=PEOPLE, faults=FAULTS, seed=2026, pause=4)
    ended.run(until=time.monotonic() + 300)
    for server in production.servers:
        if not server.is_running:
            server.start()
    return ended


def test_what_was_acknowledged_is_there_once_and_whole(day):
    assert sum(day.gremlin.done.values()) > 0
    assert all(one.receipt and len(one.files) == 2 for one in day.dossiers)
    assert day.faults() == []


def test_what_would_be_lost_or_altered_is_found(day, production):
    """The inquest is no formality: one dossier is told to be another’s, one to have other files, one is unknown."""
    good = list(day.dossiers)
    stolen, altered = good[0], good[1]
    day.dossiers = [
        Dossier("essai.00001", stolen.email, stolen.reference, stolen.receipt, stolen.files, 1),
        Dossier(
            altered.username, altered.email, altered.reference, "0" * 64, dict.fromkeys(altered.files, "0" * 64), 1
        ),
        Dossier(good[2].username, "autre@exemple.fr", "AAAAAAAAAA", "0" * 64, {"rib.pdf": sha256().hexdigest()}, 1),
    ]
    try:
        faults = "\n".join(day.faults())
    finally:
        day.dossiers = good
    assert f"{stolen.reference}: submitted of {stolen.username}" in faults
    assert f"{altered.reference}: 1 sendings, or another digest than the receipt's" in faults
    assert all(f"{altered.reference}: {name} is altered" in faults for name in altered.files)
    assert "AAAAAAAAAA: lost" in faults and "AAAAAAAAAA: 0 different receipts by mail" in faults
