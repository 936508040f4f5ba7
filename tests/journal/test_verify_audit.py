"""Whoever touches the journal behind our back, its guards taken away, is found at the row: the digests are the
protection here."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from ecare.journal.actions import GUARDS, missing_guards, record
from ecare.journal.models import Chain, Entry
from tests.tampering import unguarded

pytestmark = pytest.mark.django_db
DOSSIER = "application:VEHCXTRMWL"


@pytest.fixture
def history():
    return [record(DOSSIER, verb, message="Texte", data={"n": 1}) for verb in ("start", "submit", "accept")]


def entry(rank):
    return Entry.objects.filter(subject=DOSSIER, sequence=rank)


def test_an_intact_journal_passes(history):
    output = StringIO()
    call_command("verify_audit", stdout=output)
    assert output.getvalue() == "1 chain(s) intact.\n"


def test_an_empty_journal_passes():
    call_command("verify_audit", stdout=StringIO())


def reorder():
    entry(2).update(sequence=9)
    entry(3).update(sequence=2)
    entry(9).update(sequence=3)


def insert_in_the_middle():
    entry(3).update(sequence=4)
    second = entry(2).get()
    forge(sequence=3, at=second.at, previous=second.digest)


def append():
    last = entry(3).get()
    forge(sequence=4, at=last.at, previous=last.digest)


def forge(**fields):
    forged = Entry(subject=DOSSIER, verb="pay", actor="system", **fields)
    forged.digest = forged.computed_digest()
    forged.save()


def head(**fields):
    Chain.objects.filter(pk=DOSSIER).update(**fields)


def alter(**fields):
    return lambda: entry(2).update(**fields)


def alter_with_its_digest():
    """As somebody who read the code: the entry says itself right, the next one does not follow from it."""
    found = entry(2).get()
    found.verb = "reject"
    entry(2).update(verb="reject", digest=found.computed_digest())


OTHER = {
    "verb": "reject",
    "actor": "user:1",
    "actor_label": "Autre",
    "message": "autre",
    "data": {"n": 2},
    "to_state": "paid",
    "from_state": "paid",
    "at": "2020-01-01T00:00:00Z",
    "digest": "0" * 64,
    "previous": "1" * 64,
}
TAMPERINGS = {f"{column} altered": (alter(**{column: value}), f"{DOSSIER} #2") for column, value in OTHER.items()} | {
    "rank altered": (alter(sequence=7), f"{DOSSIER} #3"),
    "subject altered": (alter(subject="application:AUTREDOSSI"), "application:AUTREDOSSI #2"),
    "altered with its digest": (alter_with_its_digest, f"{DOSSIER} #3"),
    "first deleted": (lambda: entry(1).delete(), f"{DOSSIER} #2"),
    "middle deleted": (lambda: entry(2).delete(), f"{DOSSIER} #3"),
    "tail deleted": (lambda: entry(3).delete(), f"{DOSSIER} #3: the chain ends early"),
    "reordered": (reorder, f"{DOSSIER} #2"),
    "inserted in the middle": (insert_in_the_middle, f"{DOSSIER} #4"),
    "appended": (append, f"{DOSSIER} #3: the chain ends early"),
    "all deleted": (lambda: Entry.objects.filter(subject=DOSSIER).delete(), f"{DOSSIER} #3: the chain ends early"),
    "head moved back": (lambda: head(length=2), f"{DOSSIER} #2: the chain ends early"),
    "digest of the head": (lambda: head(digest="2" * 64), f"{DOSSIER} #3: the chain ends early"),
    "head deleted": (lambda: Chain.objects.filter(pk=DOSSIER).delete(), f"{DOSSIER}: the head of the chain is gone"),
}


def test_every_column_of_an_entry_is_tampered_with_here():
    tried = {name.removesuffix(" altered") for name in TAMPERINGS} | {
        "sequence",
        "id",
    }  # its rank; and a number that says nothing
    assert {field.name for field in Entry._meta.get_fields()} <= tried


@pytest.mark.parametrize(("tamper", "found"), TAMPERINGS.values(), ids=list(TAMPERINGS))
def test_each_tampering_is_found_at_its_row(history, tamper, found):
    record("application:INTACT", "start")
    with unguarded():
        tamper()
    errors = StringIO()
    with pytest.raises(CommandError):
        call_command("verify_audit", stderr=errors)
    faults = errors.getvalue().splitlines()
    assert found in faults
    assert not any("INTACT" in fault for fault in faults)


def test_an_entry_moved_to_another_subject_is_missed_in_its_own(history):
    with unguarded():
        entry(1).update(subject="application:AUTREDOSSI")
    errors = StringIO()
    with pytest.raises(CommandError, match="2 chain"):
        call_command("verify_audit", stderr=errors)
    assert "application:AUTREDOSSI #1" in errors.getvalue() and f"{DOSSIER} #2" in errors.getvalue()


def test_the_guards_that_are_gone_are_missed(history):
    with unguarded():
        errors = StringIO()
        with pytest.raises(CommandError):
            call_command("verify_audit", stderr=errors)
        assert {line for line in errors.getvalue().splitlines() if "no longer refuses" in line} == {
            f"the database no longer refuses: {name} is gone or off" for name in missing_guards()
        }
        assert len(missing_guards()) == len(GUARDS[connection.vendor])
    assert missing_guards() == []
