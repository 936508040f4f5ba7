"""The line of the antivirus: files claimed by one worker at a time, what became of each, and asking for it anew.

A claim is a conditional UPDATE under a lease, the scan runs outside any transaction, its outcome is written in another
and only while the lease is ours: what a dead worker had in hand is taken up when its lease has run out, and a word that
comes too late, on a file that was purged or taken out meanwhile, changes nothing.
"""

import logging
import time
import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Case, Value, When

from accounts.models import User
from applications.actions import NotNow
from ecare.journal.actions import record
from evidence import quarantine
from evidence.holders import application_of
from evidence.models import StoredFile
from evidence.states import Scan

logger = logging.getLogger(__name__)
MARGIN = timedelta(minutes=1)  # by which a lease outlasts the longest scan
MOST_ATTEMPTS = 5
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(minutes=30)
OUTAGE = "scanner-outage"
"""In the cache, for all workers: that the antivirus is down, and how long it is left alone."""
FIRST_REST, LONGEST_REST = 5, 60  # seconds
FORGOTTEN = 600  # seconds after which an outage is another one
NO_SCANNER = "Aucun antivirus n’est configuré sur ce portail : aucun fichier ne peut être analysé."


# --- a worker -----------------------------------------------------------------------------------------------------
def claim(at: datetime) -> StoredFile | None:
    """Take the file that waits longest, first those that nobody reads yet. One that the antivirus came to no end with
    is looked at alone: what it fells is then its own fault, and not its neighbour's."""
    due = StoredFile.objects.due_for_scan(at)
    if not due.exists():
        return None
    lease = uuid.uuid4()
    with transaction.atomic():
        in_hand = list(StoredFile.objects.being_scanned(at).values_list("scan_attempts", flat=True))
        if len(in_hand) >= settings.SCAN_LANES or any(in_hand):
            return None
        if in_hand:
            due = due.filter(scan_attempts=0)
        rank = Case(When(scan=Scan.PENDING, then=Value(0)), default=Value(1))
        line = due.order_by(rank, "scan_after").select_for_update(skip_locked=True, of=("self",))
        first = list(line.values_list("pk", flat=True)[:1])
        until = at + settings.SCANNER_PATIENCE + MARGIN
        due.filter(pk__in=first).update(scan_lease=lease, scan_leased_until=until)
    return StoredFile.objects.filter(scan_lease=lease).first()


def clear(file: StoredFile, *, at: datetime) -> None:
    """Nothing was found in it. Of a container that is a word on its wrapping alone."""
    scan = Scan.CONTAINER if file.name.lower().endswith(".zed") else Scan.CLEAN
    quarantine.settle(file, scan, at=at)


def give_up(file: StoredFile, *, found: str, at: datetime) -> None:
    """The antivirus cannot look at all of it: never clean, and nobody reads it."""
    logger.warning("file %s cannot be scanned: %s", file.pk, found)
    quarantine.settle(file, Scan.FAILED, at=at, found=found)


def put_off(file: StoredFile, *, at: datetime, why: str) -> None:
    """The antivirus came to no end with it; another attempt in a while, or none any more."""
    attempts = file.scan_attempts + 1
    if attempts >= MOST_ATTEMPTS:
        give_up(file, found=why, at=at)
        return
    pause = min(FIRST_PAUSE * 2 ** (attempts - 1), LONGEST_PAUSE)
    _ours(file).update(scan_attempts=attempts, scan_after=at + pause, scan_lease=None, scan_leased_until=None)


def release(file: StoredFile, *, at: datetime) -> None:
    """Through no fault of its own: it goes on waiting, and no attempt is counted."""
    _ours(file).update(scan_after=at, scan_lease=None, scan_leased_until=None)


def _ours(file: StoredFile):
    return StoredFile.objects.filter(pk=file.pk, scan_lease=file.scan_lease)


def note_outage() -> None:
    """The antivirus is down: all workers leave it alone for a while, each time longer."""
    known = cache.get(OUTAGE) or {"rest": FIRST_REST / 2}
    rest = min(known["rest"] * 2, LONGEST_REST)
    cache.set(OUTAGE, {"rest": rest, "until": _now() + rest}, timeout=FORGOTTEN)


def is_resting() -> bool:
    known = cache.get(OUTAGE)
    return known is not None and known["until"] > _now()


def note_answer() -> None:
    if cache.get(OUTAGE) is not None:
        cache.delete(OUTAGE)


def _now() -> float:
    return time.time()


# --- asked for anew -----------------------------------------------------------------------------------------------
@transaction.atomic
def scan_again(file: StoredFile, *, by: User, at: datetime) -> None:
    """One file, by the ANS or an administrator. Raises NotNow or PermissionDenied."""
    if not by.is_active or by.role not in (User.Role.ANS, User.Role.ADMINISTRATOR):
        raise PermissionDenied
    if not settings.SCANNER:
        raise NotNow(NO_SCANNER)
    if not queue(StoredFile.objects.filter(pk=file.pk), at=at):
        raise NotNow("Ce fichier est purgé : il n’y a plus rien à analyser.")
    application = application_of(file)
    if application is not None:
        record(application.subject, "scan_again", actor=by.actor, data={"file": str(file.pk), "sha256": file.sha256})


@transaction.atomic
def queue(files, *, at: datetime) -> int:
    """Into the line, whatever is known of them; what was read stays so until the antivirus says otherwise. Returns how
    many."""
    count = files.exclude(scan=Scan.PURGED).update(scan_after=at, scan_attempts=0)
    files.filter(scan=Scan.FAILED).update(scan=Scan.PENDING, scan_found="")
    return count
