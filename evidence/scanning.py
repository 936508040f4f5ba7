"""A worker's round: take the file whose turn it is, have the antivirus look at it, say what became of it."""

import logging
import time

from django.conf import settings
from django.utils import timezone

from ecare.sealing import CannotOpen
from evidence import clamd, quarantine, scans
from evidence.models import StoredFile
from evidence.vault import PIECE, open_stored

logger = logging.getLogger(__name__)
ROUND = 20  # seconds after which no file is begun: the next tick goes on
NO_END = "L’antivirus n’est pas venu à bout de ce fichier."
NOT_THERE = "Le fichier est absent du coffre ou altéré."


def scan() -> int:
    """Returns how many files were looked at, whatever was found."""
    scanned, stop_at = 0, time.monotonic() + ROUND
    if not settings.SCANNER or scans.is_resting():
        return 0
    while time.monotonic() < stop_at:
        file = scans.claim(timezone.now())
        if file is None or not _scan(file):
            break
        scanned += 1
    return scanned


def _scan(file: StoredFile) -> bool:
    """Of one that this worker holds; False while the antivirus, or the vault, is down."""
    try:
        with open_stored(file) as reader:
            found = clamd.scan(clamd.pieces_of(reader))
    except clamd.Down:
        scans.release(file, at=file.scan_after or timezone.now())
        scans.note_outage()
        logger.warning("the antivirus does not answer: files wait")
        return False
    except clamd.Unfinished:
        scans.put_off(file, at=timezone.now(), why=NO_END)
    except CannotOpen:
        scans.put_off(file, at=timezone.now(), why=NOT_THERE)
    except Exception as fault:  # noqa: BLE001 # a fault of ours, or of the store: no file is at fault
        logger.error("file %s could not be scanned: %s", file.pk, type(fault).__name__)
        scans.release(file, at=timezone.now() + scans.FIRST_PAUSE)
        return False
    else:
        _settle(file, found)
    scans.note_answer()
    return True


def _settle(file: StoredFile, found: str) -> None:
    now = timezone.now()
    if found.startswith(clamd.OVER_LIMIT):
        scans.give_up(file, found=found, at=now)
    elif found:
        quarantine.quarantine(file, found=found, at=now)
    else:
        scans.clear(file, at=now)


# --- at once ------------------------------------------------------------------------------------------------------
def fault_of(upload) -> str:
    """Why an administrator's file may not be published; empty when it may. Everybody downloads it from then on: it is
    looked at before, while they wait."""
    if not settings.SCANNER:
        return ""
    upload.seek(0)
    try:
        found = clamd.scan(iter(lambda: upload.read(PIECE), b""))
    except (clamd.Down, clamd.Unfinished):
        return "L’antivirus ne répond pas : ce fichier ne peut pas être publié. Recommencez dans quelques minutes."
    finally:
        upload.seek(0)
    return f"L’antivirus refuse ce fichier ({found}) : il n’est pas publié." if found else ""
