"""The verbs of an import that is asked for in the administration: ask, confirm, give up; claim, and what became of it.

The files wait in private storage and go when the import ends, however it ends; those of an import that nobody confirms
go after a day.
"""

import uuid
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Q

from ecare.journal.actions import record
from establishments.models import DirectoryImport, ImportRequest

LEASE = timedelta(minutes=10)
KEPT = timedelta(days=1)
MOST_ATTEMPTS = 3
MOST_UNPACKED = 400 * 1024 * 1024
KNOWN_PACKINGS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
LOCKED = 0x1  # in the flags of an entry
_PIECE = 1024 * 1024
State = ImportRequest.State
Actor = tuple[str, str]


class NotNow(Exception):
    """The import is no longer where the page showed it; the message is for the screen."""


class CannotUnpack(Exception):
    """The files are gone, or an archive is not what it should be."""


# --- the administrator --------------------------------------------------------------------------------------------
def ask(files: list[tuple[str, File]], *, by: Actor, at: datetime) -> ImportRequest:
    """Keep the files, and let a worker try them. `files`: the name each is read under, and its upload."""
    kept: list[dict] = []
    try:
        for name, upload in files:
            stored = default_storage.save(f"imports/{uuid.uuid4()}", upload)
            kept.append({"name": name, "stored": stored, "size": upload.size})
        return _ask(kept, by=by, at=at)
    except BaseException:
        _discard(kept)
        raise


@transaction.atomic
def _ask(kept: list[dict], *, by: Actor, at: datetime) -> ImportRequest:
    request = ImportRequest.objects.create(asked_at=at, actor=by[0], by=by[1], files=kept)
    data = {"request": str(request.pk), "files": [file["name"] for file in kept]}
    record("directory", "ask_import", actor=by, data=data)
    return request


@transaction.atomic
def confirm(request: ImportRequest, *, by: Actor) -> None:
    """After its trial was read. Raises NotNow, also when another import has changed what the trial was held against."""
    request = _locked(request)
    if request.state != State.TRIED:
        raise NotNow("Cette mise à jour n’attend pas de confirmation : relisez la page.")
    if request.tried_after != latest():
        raise NotNow("Un autre import a eu lieu depuis l’essai, qui ne vaut plus : déposez les fichiers à nouveau.")
    request.state, request.attempts, request.actor, request.by = State.QUEUED, 0, *by
    request.progress = ""
    request.save()
    record("directory", "confirm_import", actor=by, data={"request": str(request.pk)})


@transaction.atomic
def give_up(request: ImportRequest, *, by: Actor) -> None:
    """Before it is confirmed."""
    request = _locked(request)
    if request.state not in (State.TRIAL, State.TRIED):
        raise NotNow("Cette mise à jour ne peut plus être abandonnée : relisez la page.")
    _end(request, State.GIVEN_UP)
    record("directory", "give_up_import", actor=by, data={"request": str(request.pk)})


# --- the worker ---------------------------------------------------------------------------------------------------
def claim(at: datetime) -> ImportRequest | None:
    """The oldest that waits, under a lease; one whose worker died is taken again, three times in all."""
    due = ImportRequest.objects.filter(state__in=ImportRequest.RUNNABLE)
    due = due.filter(Q(leased_until=None) | Q(leased_until__lt=at)).order_by("asked_at")
    first = due.values_list("pk", flat=True).first()
    if first is None:
        return None
    lease = uuid.uuid4()
    with transaction.atomic():
        if not due.filter(pk=first).update(lease=lease, leased_until=at + LEASE):
            return None
        request = ImportRequest.objects.select_for_update().get(pk=first)
        request.attempts += 1
        request.save(update_fields=["attempts"])
        if request.attempts > MOST_ATTEMPTS:
            _end(request, State.FAILED, error="Le traitement s’est interrompu plusieurs fois : écrivez au support.")
            return None
    return request


def note(request: ImportRequest, progress: str, *, at: datetime) -> None:
    """How far it is; the lease goes on."""
    _ours(request).update(progress=progress[:200], leased_until=at + LEASE)


@contextmanager
def unpacked(request: ImportRequest) -> Iterator[Path]:
    """Its files in a folder of their own, for as long as they are read. Raises CannotUnpack."""
    with TemporaryDirectory(prefix="import-") as name:
        folder, room = Path(name), MOST_UNPACKED
        for file in request.files:
            room -= _unpack(file, folder, room)
        yield folder


def _unpack(file: dict, folder: Path, room: int) -> int:
    try:
        with default_storage.open(file["stored"]) as stored:
            if file["name"].endswith(".zip"):
                return _unzip(stored, folder, room)
            return _write(stored, folder / file["name"], room)
    except FileNotFoundError:
        raise CannotUnpack("Les fichiers ne sont plus là : déposez-les à nouveau.") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError):
        raise CannotUnpack(
            f"{file['name']} : l’archive ne se lit pas. Faites-la à nouveau, sans mot de passe."
        ) from None


def _unzip(stored, folder: Path, room: int) -> int:
    """Files only, each under its bare name. Raises BadZipFile, zlib.error, EOFError or NotImplementedError of an
    archive that is damaged, locked, or packed as none of the directory is."""
    written = 0
    with zipfile.ZipFile(stored) as archive:
        for entry in archive.infolist():
            name = Path(entry.filename.replace("\\", "/")).name
            if entry.is_dir() or not name.endswith(".csv") or name.startswith("."):
                continue
            if entry.flag_bits & LOCKED or entry.compress_type not in KNOWN_PACKINGS:
                raise zipfile.BadZipFile(entry.filename)
            with archive.open(entry) as packed:
                written += _write(packed, folder / name, room - written)
    return written


def _write(source, path: Path, room: int) -> int:
    written = 0
    with path.open("wb") as file:
        while piece := source.read(_PIECE):
            written += len(piece)
            if written > room:
                raise CannotUnpack("Ces fichiers dépassent 400 Mo une fois ouverts : ce n’est pas le répertoire.")
            file.write(piece)
    return written


def tried(request: ImportRequest, report: DirectoryImport, *, after: int | None) -> None:
    """The trial is over; `after`: the last import that it was held against."""
    trial = {"files": report.files, "counts": report.counts, "remarks": report.remarks}
    told = {"state": State.TRIED, "trial": trial, "tried_after": after, "progress": "", "lease": None}
    _ours(request).filter(state=State.TRIAL).update(leased_until=None, **told)


def run(request: ImportRequest, import_: Callable[[], DirectoryImport]) -> None:
    """The import and its mark in one transaction: whoever lost the lease meanwhile leaves no trace."""
    with transaction.atomic():
        report = import_()
        locked = ImportRequest.objects.select_for_update().filter(pk=request.pk, lease=request.lease).first()
        if locked is None or locked.state != State.QUEUED:
            transaction.set_rollback(True)
            return
        locked.report = report
        _end(locked, State.DONE)


@transaction.atomic
def fail(request: ImportRequest, sentence: str) -> None:
    """The files are at fault: it is not tried again."""
    locked = _ours(request).select_for_update().first()
    if locked is not None:
        _end(locked, State.FAILED, error=sentence)


def forget(at: datetime) -> int:
    """Those that nobody confirmed for a day."""
    old = ImportRequest.objects.filter(state__in=(State.TRIAL, State.TRIED), asked_at__lt=at - KEPT)
    forgotten = 0
    for request in list(old):
        with transaction.atomic():
            locked = _locked(request)
            if locked.state in (State.TRIAL, State.TRIED):
                _end(locked, State.GIVEN_UP)
                forgotten += 1
    return forgotten


def _locked(request: ImportRequest) -> ImportRequest:
    return ImportRequest.objects.select_for_update().get(pk=request.pk)


def _ours(request: ImportRequest):
    """While the lease is ours: another worker's word stands."""
    return ImportRequest.objects.filter(pk=request.pk, lease=request.lease)


def latest() -> int | None:
    """The last import of all."""
    return DirectoryImport.objects.order_by("-pk").values_list("pk", flat=True).first()


def _end(request: ImportRequest, state: str, *, error: str = "") -> None:
    """Its files go once that is sure."""
    files, request.files = request.files, [{**file, "stored": ""} for file in request.files]
    request.state, request.error, request.progress = state, error[:500], ""
    request.lease = request.leased_until = None
    request.save()
    transaction.on_commit(lambda: _discard(files), robust=True)  # storage may be down: the sweep takes them


def _discard(files: list[dict]) -> None:
    for file in files:
        if file["stored"]:
            default_storage.delete(file["stored"])
