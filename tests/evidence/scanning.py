"""Files that a signature of the tests matches, and a real clamd that knows it."""

import contextlib
import io
import shutil
import tempfile
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.cache import cache
from django.utils import timezone

from demo.specimens import pdf
from deploy.clamav import NO_CLAMD, Clamd, program
from evidence import quarantine, scans
from evidence.models import StoredFile

MARK = b"X5O!P%@AP-ECARE-STANDARD-ANTIVIRUS-TEST-FILE"
NAME = "eCaRE.Test"
FOUND = f"{NAME}.UNOFFICIAL"


def infected_pdf() -> bytes:
    return pdf(line=MARK.decode())


def with_entry(document: bytes, name: str, content: bytes) -> bytes:
    """A docx or another archive, with one more file in it, compressed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(document)) as given, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for entry in given.infolist():
            made.writestr(entry.filename, given.read(entry))
        made.writestr(name, content)
    return out.getvalue()


@contextlib.contextmanager
def clamd(settings, *, port=None, **options):
    """Started with the signature of the tests, and named in the settings. Its socket takes a short path."""
    if program() is None:
        pytest.skip(NO_CLAMD)
    folder = Path(tempfile.mkdtemp(prefix="ecare-clamd-", dir="/tmp"))
    server = Clamd(folder, port=port, options=options)
    server.know(NAME, text=MARK)
    try:
        with server:
            settings.SCANNER = server.url
            settings.SCANNER_SILENCE = timedelta(seconds=1)
            settings.SCANNER_PATIENCE = timedelta(seconds=20)
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def now(evidence_or_file) -> StoredFile:
    file = getattr(evidence_or_file, "file_id", None) or evidence_or_file.pk
    return StoredFile.objects.get(pk=file)


def found_infected(evidence) -> StoredFile:
    """As the worker does when clamd says so."""
    file = in_hand(evidence)
    quarantine.quarantine(file, found=FOUND, at=timezone.now())
    return now(evidence)


def in_hand(evidence) -> StoredFile:
    """Claimed by a worker that has not said its word yet."""
    file = now(evidence)
    StoredFile.objects.exclude(pk=file.pk).update(scan_leased_until=None, scan_lease=None)
    StoredFile.objects.exclude(pk=file.pk).exclude(scan="pending").update(scan_after=None)
    StoredFile.objects.filter(pk=file.pk).update(scan_after=timezone.now() - timedelta(days=1))
    claimed = scans.claim(timezone.now())
    assert claimed.pk == file.pk
    return claimed


def forget_outage() -> None:
    cache.delete(scans.OUTAGE)
