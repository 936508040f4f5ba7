"""What a decision writes besides the move of the dossier: one transaction with it."""

from contextlib import AbstractContextManager, nullcontext
from datetime import date, datetime

from django.db import transaction
from django.urls import reverse

from accounts.models import User
from applications import actions as verbs
from applications.models import Application
from conventions.actions import countersign, waiting_copy
from conventions.models import SignedCopy
from conventions.rules import FORMATS, MAX_BYTES
from ecare.journal.actions import record
from evidence.actions import storing
from evidence.holders import HOLDERS, Place
from evidence.models import StoredFile
from funding.actions import confirm_envelope
from reviews import rules
from reviews.models import Convention

NO_COPY = "L’établissement n’a pas d’exemplaire signé en attente : joignez la convention signée."
UNREADABLE = "L’exemplaire de l’établissement ne peut pas être conservé tel quel : joignez la convention signée."


def sign_convention(
    application: Application,
    *,
    by: User,
    version: int,
    establishment_signed_on: date,
    signed_on: date,
    at: datetime,
    upload=None,
    over: int = 0,
) -> None:
    """Keep the signed copy and record both signatures; without `upload`, the copy that the establishment sent is the
    one that bears them. `over`: by how much the agent saw the envelope exceeded. Raises Refused (the file), NotNow or
    PermissionDenied."""
    with _stored(upload, by=by) as stored, transaction.atomic():
        confirm_envelope(application, over=over, by=by)
        moved = verbs.sign_convention(application, by=by, version=version, signed_on=signed_on, at=at)
        for fault in rules.convention_day_faults(application, establishment_signed_on, signed_on, at).values():
            raise verbs.NotNow(fault)
        copy = waiting_copy(moved)
        kept = Convention.objects.create(
            application=application,
            establishment_signed_on=establishment_signed_on,
            signed_on=signed_on,
            file=stored or _bearing_all(copy),
            recorded_by=by,
        )
        if copy is not None:
            countersign(copy, by=by, at=at)
        _note(kept, "store_convention", by=by)


def _stored(upload, *, by: User) -> AbstractContextManager[StoredFile | None]:
    return storing(upload, by=by, formats=FORMATS, max_bytes=MAX_BYTES) if upload is not None else nullcontext()


def _bearing_all(copy: SignedCopy | None) -> StoredFile:
    """The establishment's copy, when it bears all signatures."""
    if copy is None:
        raise verbs.NotNow(NO_COPY)
    if not copy.file.is_readable:
        raise verbs.NotNow(UNREADABLE)
    return copy.file


def reopen(convention: Convention, application: Application, at: datetime) -> Place:
    """Of a convention whose file is infected: it stays signed and recorded; the ANS has it on paper."""
    path = reverse("conventions:convention", args=[application.reference])
    return Place(HOLDERS["convention"], path, is_open=False)


def note_download(convention: Convention, *, by: User) -> None:
    """Each download leaves a line in the dossier's history."""
    _note(convention, "download_convention", by=by)


def _note(convention: Convention, verb: str, *, by: User) -> None:
    file = convention.file
    data = {"file": str(file.pk), "name": file.name, "size": file.size, "sha256": file.sha256}
    record(convention.application.subject, verb, actor=by.actor, data=data)
