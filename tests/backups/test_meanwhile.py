"""What happens to an object between the moment of the database and the moment it is copied."""

import json
import os

import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from backups.actions import back_up
from demo.specimens import pdf
from deploy.postgres import programs as programs_of_postgres
from ecare.journal.models import Entry
from evidence import rotation, vault
from evidence.models import StoredFile
from tests.evidence.conftest import dossier_with, put_in
from tests.evidence.test_rotation import BOTH, OLD

PDF = pdf(line="Un autre")
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def application(settings, tmp_path, monkeypatch):
    settings.VAULT_KEYS = OLD
    return dossier_with({})


def back_up_while(folder, deed):
    """`deed` is done once the database is taken, before the first object is copied."""
    said = []

    def tell(line):
        if not said:
            deed()
        said.append(line)

    lost = back_up(folder, at=timezone.now(), tell=tell)
    return lost, [json.loads(line) for line in (folder / "vault.jsonl").read_text().splitlines()]


@pytest.fixture(autouse=True)
def programs(monkeypatch):
    """PostgreSQL's, as an operator has them."""
    if connection.vendor == "postgresql":
        monkeypatch.setenv("PATH", f"{programs_of_postgres()}:{os.environ['PATH']}")


def test_a_file_that_was_deleted_is_listed_as_gone(application, store, tmp_path):
    evidence = put_in(application)

    def deed():
        evidence.delete()
        evidence.file.delete()
        vault.discard(evidence.file.storage_name)

    row = f"evidence.StoredFile {evidence.file_id}"
    lost, listed = back_up_while(tmp_path / "backup", deed)
    assert not lost
    assert listed == [{"row": row, "name": evidence.file.storage_name, "gone": True}]


def test_a_file_that_was_sealed_anew_is_taken_from_where_it_is_now(application, store, settings, tmp_path):
    """Protection: `_copy` asks the row again. Else a change of keys would take files out of the backup."""
    file = put_in(application).file

    def deed():
        settings.VAULT_KEYS = BOTH
        call_command("rotate_keys", grace=0, verbosity=0)

    lost, [listed] = back_up_while(tmp_path / "backup", deed)
    assert not lost and listed["name"] == file.storage_name and listed["size"] > file.size
    now = StoredFile.objects.get()
    assert now.storage_name != file.storage_name
    with default_storage.open(now.storage_name) as stored:
        assert (tmp_path / "backup" / "vault" / file.storage_name).read_bytes() == stored.read()


def test_a_file_that_is_lost_is_told_loudly(application, store, tmp_path):
    """A backup of what is left is made all the same."""
    lost, sound = put_in(application).file, put_in(application, name="2.pdf", content=PDF).file
    default_storage.delete(lost.storage_name)
    with pytest.raises(CommandError, match="whole but for 1 objects"):
        call_command("backup", str(tmp_path / "backup"))
    assert (tmp_path / "backup" / "manifest.json").exists()
    assert (tmp_path / "backup" / "vault" / sound.storage_name).exists()
    assert Entry.objects.get(verb="make_backup").data["lost"] == 1


def test_a_store_that_goes_away_makes_no_backup(application, own_store, tmp_path):
    """Protection: the manifest is written last."""
    put_in(application)
    own_store.kill()
    with pytest.raises(CommandError, match="No backup was made"):
        call_command("backup", str(tmp_path / "backup"))
    assert not (tmp_path / "backup" / "manifest.json").exists()


def test_people_write_while_the_database_is_taken(application, tmp_path):
    """The backup holds no lock that they would wait for, and sees nothing of what they write."""
    put_in(application)

    def deed():
        put_in(application, name="2.pdf", content=PDF)

    _lost, listed = back_up_while(tmp_path / "backup", deed)
    assert len(listed) == 1 and StoredFile.objects.count() == 2
    assert rotation.count()["evidence.StoredFile"]["2025"] == 2
