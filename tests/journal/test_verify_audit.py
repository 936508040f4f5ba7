"""Whoever touches the journal behind our back is found, at the row."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from ecare.journal.actions import broken_links, record
from ecare.journal.models import Chain, Entry

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


@pytest.mark.parametrize(
    "change",
    [
        {"verb": "reject"},
        {"actor": "user:1"},
        {"actor_label": "Autre"},
        {"message": "autre"},
        {"data": {"n": 2}},
        {"to_state": "paid"},
        {"from_state": "paid"},
        {"at": "2020-01-01T00:00:00Z"},
        {"digest": "0" * 64},
        {"previous": "1" * 64},
    ],
)
def test_an_altered_entry_is_found_at_its_row(history, change):
    entry(2).update(**change)
    assert f"{DOSSIER} #2" in list(broken_links(DOSSIER))


def test_a_removed_entry_is_found(history):
    entry(2).delete()
    assert f"{DOSSIER} #3" in list(broken_links(DOSSIER))


def test_a_removed_last_entry_is_found(history):
    entry(3).delete()
    assert any("ends early" in fault for fault in broken_links(DOSSIER))


def test_entries_in_another_order_are_found(history):
    entry(2).update(sequence=9)
    entry(3).update(sequence=2)
    entry(9).update(sequence=3)
    assert list(broken_links(DOSSIER))[:2] == [f"{DOSSIER} #2", f"{DOSSIER} #3"]


def test_an_inserted_entry_is_found(history):
    forged = Entry(
        subject=DOSSIER, sequence=4, at=history[-1].at, verb="pay", actor="system", previous=history[-1].digest
    )
    forged.digest = forged.computed_digest()
    forged.save()
    assert list(broken_links(DOSSIER))


def test_an_entry_moved_to_another_subject_is_found(history):
    entry(1).update(subject="application:AUTREDOSSI")
    errors = StringIO()
    with pytest.raises(CommandError, match="2 chain"):
        call_command("verify_audit", stderr=errors)
    assert "application:AUTREDOSSI #1" in errors.getvalue() and f"{DOSSIER} #2" in errors.getvalue()


def test_a_whole_history_that_went_is_found(history):
    Entry.objects.filter(subject=DOSSIER).delete()
    with pytest.raises(CommandError):
        call_command("verify_audit", stderr=StringIO())


def test_a_chain_that_went_is_found(history):
    Chain.objects.all().delete()
    with pytest.raises(CommandError):
        call_command("verify_audit", stderr=StringIO())
