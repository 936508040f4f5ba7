"""The journal: one chain per subject, appended to and never changed."""

import pytest
from django.db import transaction

from ecare.journal.actions import SYSTEM, broken_links, record
from ecare.journal.models import Chain, Entry
from tests.racing import at_once

pytestmark = pytest.mark.django_db
DOSSIER = "application:VEHCXTRMWL"


def test_an_entry_says_who_did_what_from_which_state_to_which():
    record(
        DOSSIER,
        "submit",
        actor=("user:12", "Camille Martin (Référent)"),
        from_state="draft",
        to_state="submitted",
        message="Voici.",
        data={"submission": 1},
    )
    entry = Entry.objects.get()
    assert (entry.subject, entry.sequence, entry.verb) == (DOSSIER, 1, "submit")
    assert (entry.actor, entry.actor_label) == ("user:12", "Camille Martin (Référent)")
    assert (entry.from_state, entry.to_state, entry.message) == ("draft", "submitted", "Voici.")
    assert entry.data == {"submission": 1}


def test_each_entry_covers_the_one_before():
    first, second = record(DOSSIER, "start"), record(DOSSIER, "submit")
    assert (first.previous, second.previous) == ("0" * 64, first.digest)
    assert (second.actor, second.actor_label) == SYSTEM
    assert Chain.objects.get().digest == second.digest
    assert list(broken_links(DOSSIER)) == []


def test_two_subjects_have_two_chains():
    record(DOSSIER, "start")
    assert record("application:AUTREDOSSI", "start").sequence == 1


def test_what_is_rolled_back_leaves_no_entry():
    with transaction.atomic():
        record(DOSSIER, "start")
        transaction.set_rollback(True)
    assert not Entry.objects.exists() and not Chain.objects.exists()


def test_an_entry_is_neither_changed_nor_removed():
    entry = record(DOSSIER, "start")
    entry.message = "autre"
    with pytest.raises(TypeError):
        entry.save()
    with pytest.raises(TypeError):
        entry.delete()


@pytest.mark.django_db(transaction=True)
def test_appends_at_the_same_time_make_one_chain():
    writers, each = 4, 10

    def write():
        for _ in range(each):
            record(DOSSIER, "save")

    at_once(*[write] * writers)
    assert list(Entry.objects.values_list("sequence", flat=True)) == list(range(1, writers * each + 1))
    assert list(broken_links(DOSSIER)) == []
