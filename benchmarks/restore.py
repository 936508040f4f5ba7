"""How long a backup and its restore take: rows in numbers, and files. Ten kilobytes a file: bytes cost what disks and
networks cost, files what this code does for each. With all that a restore verifies."""

import hashlib
import os
import platform
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from django.conf import settings
from django.db import connection
from django.utils import timezone

from applications.models import Application
from backups.actions import back_up, check, restore
from ecare.journal.actions import record_each
from evidence import vault
from evidence.models import StoredFile
from tests.exports.many import domain_of_many, many_dossiers

AT_ONCE = 5_000
FILE = 10_000  # bytes


def main(dossiers: int = 100_000, files: int = 10_000) -> None:
    domain = domain_of_many()
    for made in range(0, dossiers, AT_ONCE):
        many_dossiers(min(AT_ONCE, dossiers - made), domain=domain, has_history=False)
    _write_journal()
    _put_in(files)
    print(f"{connection.vendor}, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}")
    with TemporaryDirectory() as folder:
        backup = Path(folder) / "backup"
        began = time.perf_counter()
        back_up(backup, at=timezone.now(), tell=_clock())
        print(f"{dossiers} dossiers, {files} files: backed up in {time.perf_counter() - began:.0f} s")
        shutil.rmtree(settings.STORAGES["default"]["OPTIONS"]["location"])
        began = time.perf_counter()
        manifest, faults = check(backup, replaces=True)
        faults += restore(backup, manifest, tell=_clock())
        print(f"restored and verified in {time.perf_counter() - began:.0f} s, {len(faults)} faults")


def _clock() -> Callable[[str], None]:
    began = time.perf_counter()

    def tell(line: str) -> None:
        print(f"  {time.perf_counter() - began:6.1f} s  {line}", flush=True)

    return tell


def _write_journal() -> None:
    """Three entries a dossier."""
    subjects = [f"application:{reference}" for reference in Application.objects.values_list("reference", flat=True)]
    for verb in ("start", "submit", "accept"):
        for at in range(0, len(subjects), 500):
            record_each(subjects[at : at + 500], verb, data=lambda _subject: {"version": 1})


def _put_in(files: int) -> None:
    rows = []
    for number in range(files):
        content = os.urandom(FILE)
        with vault.sealed([content]) as spool:
            rows.append(
                StoredFile(
                    name=f"{number}.pdf",
                    size=FILE,
                    sha256=hashlib.sha256(content).hexdigest(),
                    media_type="application/pdf",
                    storage_name=vault.keep(spool),
                    key_name=spool.key_name,
                )
            )
    StoredFile.objects.bulk_create(rows, batch_size=500)
