"""Upkeep: bytes that nobody refers to go, rows without bytes are named."""

import os
import time

import pytest
from django.conf import settings
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from evidence import vault
from evidence.tasks import sweep_vault
from evidence.vault import sealed
from tests.evidence.conftest import put_in, stored_names


def orphan(*, hours: float) -> str:
    with sealed([b"RIB"]) as spool:
        name = vault.keep(spool)
    age(name, hours=hours)
    return name


def age(name: str, *, hours: float) -> None:
    instant = time.time() - hours * 3600
    os.utime(default_storage.path(name), (instant, instant))


def test_old_bytes_without_a_row_are_swept_and_the_rest_stays(application, capsys):
    kept = put_in(application).file.storage_name
    age(kept, hours=1000)
    orphan(hours=25)
    young = orphan(hours=23)
    call_command("sweep_vault")
    assert stored_names() == {kept, young}
    assert capsys.readouterr().out == "0 uploads expired, forgotten\n1 unreferenced, deleted\n"


def test_what_a_stopped_write_left_is_swept(application):
    kept = put_in(application).file.storage_name
    path = default_storage.path(f"{kept}.part")
    with open(path, "wb") as file:
        file.write(b"half")
    age(f"{kept}.part", hours=25)
    call_command("sweep_vault")
    assert stored_names() == {kept}


def test_a_row_without_bytes_is_named_and_kept(application, capsys):
    evidence = put_in(application)
    default_storage.delete(evidence.file.storage_name)
    with pytest.raises(CommandError, match="1 files"):
        call_command("sweep_vault")
    assert str(evidence.file_id) in capsys.readouterr().err


def test_an_empty_vault_is_swept_in_peace(db, capsys):
    call_command("sweep_vault")
    assert capsys.readouterr().out == "0 uploads expired, forgotten\n0 unreferenced, deleted\n"


def test_the_vault_is_swept_at_night(application):
    kept = put_in(application).file.storage_name
    orphan(hours=25)
    sweep_vault()
    assert stored_names() == {kept}
    assert settings.CELERY_BEAT_SCHEDULE["vault"]["task"] == sweep_vault.name
