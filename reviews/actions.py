"""What a decision writes besides the move of the dossier: one transaction with it."""

from datetime import date, datetime

from accounts.models import User
from applications import actions as verbs
from applications.models import Application
from ecare.journal.actions import record
from evidence.actions import storing
from funding.actions import confirm_envelope
from reviews import rules
from reviews.models import Convention


def sign_convention(
    application: Application, *, by: User, version: int, signed_on: date, upload, at: datetime, over: int = 0
) -> None:
    """Keep the signed copy and record the signature; `over`: by how much the agent saw the envelope exceeded. Raises
    Refused (the file), NotNow or PermissionDenied."""
    formats, max_bytes = rules.CONVENTION_FORMATS, rules.CONVENTION_MAX_BYTES
    with storing(upload, by=by, formats=formats, max_bytes=max_bytes) as file:
        confirm_envelope(application, over=over, by=by)
        verbs.sign_convention(application, by=by, version=version, signed_on=signed_on, at=at)
        if fault := rules.convention_day_fault(application, signed_on, at):
            raise verbs.NotNow(fault)
        kept = Convention.objects.create(application=application, signed_on=signed_on, file=file, recorded_by=by)
        _note(kept, "store_convention", by=by)


def note_download(convention: Convention, *, by: User) -> None:
    """Each download leaves a line in the dossier's history."""
    _note(convention, "download_convention", by=by)


def _note(convention: Convention, verb: str, *, by: User) -> None:
    file = convention.file
    data = {"file": str(file.pk), "name": file.name, "size": file.size, "sha256": file.sha256}
    record(convention.application.subject, verb, actor=by.actor, data=data)
