"""The verbs of a file on its way: announced, received part by part, finished; or given up, or forgotten.

Each part that has come is a committed row and its sealed bytes, so that nothing which breaks off (the network, the
browser, this process) costs more than the part at hand.
"""

import hashlib
import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial

from django.core.exceptions import PermissionDenied
from django.db import transaction

from accounts.models import User
from applications.actions import NotNow, lock
from applications.models import Application, Question
from ecare.sealing import CannotOpen
from evidence import actions, files, vault
from evidence.files import Refused
from evidence.models import Evidence, Upload, UploadPart
from evidence.vault import SealedFile, Spool

logger = logging.getLogger(__name__)
MOST_AT_ONCE = 5  # of one dossier
KEPT = timedelta(hours=24)  # after the latest sign of life
GONE = "L’envoi de ce fichier a expiré ou a été abandonné. Choisissez à nouveau le fichier pour recommencer l’envoi."
CHANGED = "Ce fichier a changé pendant son envoi. Choisissez-le à nouveau."


class CutShort(Exception):
    """The part did not come whole; to be sent again."""


class Missing(Exception):
    """The file cannot be finished: parts have not come (or came anew meanwhile)."""

    def __init__(self, ranks: Iterable[int]):
        super().__init__("parts are missing")
        self.ranks = sorted(ranks)


# --- start --------------------------------------------------------------------------------------------------------
@transaction.atomic
def start(
    application: Application,
    question: Question,
    *,
    name: str,
    size: int,
    first_sha256: str,
    by: User,
    at: datetime,
    replaces: Evidence | None = None,
) -> Upload:
    """Announce a file; the same one again goes on where it stopped. Raises Refused, NotNow or PermissionDenied."""
    application = lock(application)
    actions.check_space(application, question, by=by, at=at, instead_of=replaces)
    name, _extension = files.checked_name(name, formats=question.formats)
    files.check_size(size, question.max_bytes)
    announced = {"question": question, "replaces": replaces, "name": name, "size": size, "first_sha256": first_sha256}
    on_their_way = Upload.objects.filter(application=application).on_their_way(at)
    upload = on_their_way.select_for_update().filter(started_by=by, **announced).first()
    if upload is not None:
        _sign_of_life(upload, at)
        return upload
    if on_their_way.filter(started_by=by).count() >= MOST_AT_ONCE:
        raise Refused(
            f"{MOST_AT_ONCE} envois sont déjà en cours dans ce dossier. "
            "Terminez-en un en choisissant à nouveau son fichier, ou abandonnez-le, puis déposez celui-ci."
        )
    return Upload.objects.create(
        application=application, started_by=by, started_at=at, expires_at=at + KEPT, **announced
    )


def _sign_of_life(upload: Upload, at: datetime) -> None:
    upload.expires_at = max(upload.expires_at, at + KEPT)
    upload.save(update_fields=["expires_at"])


def _check_own(upload: Upload, by: User) -> None:
    if upload.started_by_id != by.pk:
        raise PermissionDenied


def _locked(upload: Upload, at: datetime) -> Upload:
    """Read anew. Raises NotNow when it is no longer on its way."""
    found = Upload.objects.select_for_update(of=("self",)).select_related("application", "question__section")
    now = found.on_their_way(at).filter(pk=upload.pk).first()
    if now is None:
        raise NotNow(GONE)
    return now


# --- receive ------------------------------------------------------------------------------------------------------
def receive(upload: Upload, *, rank: int, pieces: Iterable[bytes], by: User, at: datetime) -> UploadPart:
    """Seal one part as it comes, in any order; one that comes twice is kept once.

    Raises CutShort, Refused, NotNow or PermissionDenied.
    """
    _check_own(upload, by)
    actions.check_open_for(upload.application, upload.question, by=by, at=at, instead_of=upload.replaces)
    if not 0 <= rank < upload.count:
        raise Refused("Cette partie ne figure pas dans le fichier annoncé. Choisissez à nouveau le fichier.")
    with Spool(context=upload.context_of(rank)) as spool:
        sha256 = _sealed_into(spool, pieces, length=upload.length_of(rank))
        if rank == 0 and sha256 != upload.first_sha256:
            raise Refused(CHANGED)
        storage_name = vault.keep(spool)
    with transaction.atomic():
        try:
            return _keep_part(upload, rank, storage_name=storage_name, sha256=sha256, at=at)
        except BaseException:
            vault.discard(storage_name)
            raise


def _sealed_into(spool: Spool, pieces: Iterable[bytes], *, length: int) -> str:
    """Exactly `length` bytes; returns their digest. Nothing beyond it is read."""
    digest, missing = hashlib.sha256(), length
    for piece in pieces:
        missing -= len(piece)
        if missing < 0:
            raise Refused("Une partie reçue est plus longue qu’annoncé. Choisissez à nouveau le fichier.")
        digest.update(piece)
        spool.write(piece)
    if missing:
        raise CutShort
    spool.finish()
    return digest.hexdigest()


def _keep_part(upload: Upload, rank: int, *, storage_name: str, sha256: str, at: datetime) -> UploadPart:
    upload = _locked(upload, at)
    _sign_of_life(upload, at)
    part = UploadPart.objects.filter(upload=upload, rank=rank).first()
    if part is None:
        return UploadPart.objects.create(upload=upload, rank=rank, storage_name=storage_name, sha256=sha256)
    if part.sha256 == sha256:
        unused = storage_name
    else:  # the file was changed between two attempts: the latest one counts
        unused, part.storage_name, part.sha256 = part.storage_name, storage_name, sha256
        part.save()
    transaction.on_commit(lambda: vault.discard(unused))
    return part


# --- finish -------------------------------------------------------------------------------------------------------
def finish(upload: Upload, *, by: User, at: datetime) -> None:
    """Make one sealed file of the parts and put it in its place, checked like any other; a second time nothing happens.

    Refused or too late, nothing of it remains. Raises Missing, Refused, NotNow or PermissionDenied.
    """
    _check_own(upload, by)
    if _is_finished(upload):
        return
    parts = list(upload.parts.all())
    if missing := set(range(upload.count)) - {part.rank for part in parts}:
        raise Missing(missing)
    try:
        _finish(upload, parts, by=by, at=at)
    except (Refused, NotNow):
        if not _is_finished(upload):  # by another request, meanwhile
            drop(upload)
            raise


def _is_finished(upload: Upload) -> bool:
    return Upload.objects.filter(pk=upload.pk, finished_at__isnull=False).exists()


def _finish(upload: Upload, parts: list[UploadPart], *, by: User, at: datetime) -> None:
    application, question, former = upload.application, upload.question, upload.replaces
    actions.check_space(application, question, by=by, at=at, instead_of=former)
    with _joined(upload, parts) as spool:
        whole = SealedFile(spool, upload.name)
        with actions.storing(whole, formats=question.formats, max_bytes=question.max_bytes, by=by) as stored:
            actions.place(stored, application, question, by=by, at=at, instead_of=former)  # locks the dossier first
            _close(upload, parts, at=at)


def _joined(upload: Upload, parts: list[UploadPart]) -> Spool:
    try:
        return vault.joined((part.storage_name, upload.context_of(part.rank)) for part in parts)
    except CannotOpen:
        if not _is_finished(upload):
            logger.exception("the parts of upload %s cannot be opened", upload.pk)
        raise NotNow(GONE) from None


def _close(upload: Upload, parts: list[UploadPart], *, at: datetime) -> None:
    """It has become a file; what it was made of goes with the commit."""
    now = _locked(upload, at)
    used = [(part.rank, part.storage_name) for part in parts]
    if list(now.parts.values_list("rank", "storage_name")) != used:
        raise Missing([])
    now.finished_at = at
    now.save(update_fields=["finished_at"])
    _drop_parts(now)


def _drop_parts(upload: Upload) -> None:
    names = list(upload.parts.values_list("storage_name", flat=True))
    upload.parts.all().delete()
    for name in names:
        transaction.on_commit(partial(vault.discard, name))


# --- give up, forget ----------------------------------------------------------------------------------------------
def give_up(upload: Upload, *, by: User) -> None:
    """Nothing of it remains. Raises PermissionDenied."""
    _check_own(upload, by)
    drop(upload)


def forget(*, at: datetime) -> int:
    """Drop the uploads that nobody went on with, and the traces of those that are finished. Returns how many."""
    expired = Upload.objects.filter(expires_at__lte=at)
    return sum(drop(upload, expires_at__lte=at) for upload in expired)


@transaction.atomic
def drop(upload: Upload, **still) -> bool:
    """Unless it went on meanwhile; one that is finished is left until it expires."""
    still = still or {"finished_at": None}
    found = Upload.objects.select_for_update().filter(pk=upload.pk, **still).first()
    if found is None:
        return False
    _drop_parts(found)
    found.delete()
    return True
