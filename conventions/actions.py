"""The verbs of a convention that is being signed: note the one to sign, send, refuse or countersign a signed copy."""

from datetime import datetime, timedelta

import rules as permissions
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.urls import reverse

from accounts.models import User
from applications.actions import NotNow, lock
from applications.models import Application
from conventions import emails
from conventions.models import SignedCopy
from conventions.rules import FORMATS, MAX_BYTES, countersigners_of, may_be_signed
from ecare.journal.actions import record
from ecare.journal.models import Entry
from ecare.letters.actions import cancel
from ecare.letters.models import Letter
from evidence.actions import refuse_what_was_purged, storing
from evidence.files import Refused
from evidence.holders import HOLDERS, Place
from evidence.models import StoredFile

MOST_A_DAY = 5  # copies of one dossier: each stays in the vault and writes to the ANS
NOT_NOW = "La convention se signe entre l’acceptation de la candidature et son enregistrement par l’ANS."
TOO_MANY = (
    f"Ce dossier a déjà {MOST_A_DAY} exemplaires déposés en un jour. Vérifiez le document et recommencez demain, "
    "ou écrivez à l’équipe support."
)
UNSIGNED = (
    "Ce fichier est la convention telle qu’elle se télécharge, sans signature. Faites-la signer, numérisez-la, "
    "puis déposez l’exemplaire signé."
)
INFECTED = "L’antivirus a trouvé ce fichier infecté : il est en quarantaine."
TWICE = "Cet exemplaire est déjà déposé : il attend la signature de l’ANS."


def note_preparation(application: Application, *, by: User, sha256: str, text: str) -> None:
    """Each pre-filled convention that leaves: its digest, and the version of its articles."""
    data = {"sha256": sha256, "text": text}
    record(application.subject, "prepare_convention", actor=by.actor, data=data)


def send_copy(application: Application, *, upload, by: User, at: datetime) -> SignedCopy:
    """The référent's signed copy, in the place of one that waits. Raises Refused (the file), NotNow."""
    _check(application, by=by)
    with storing(upload, formats=FORMATS, max_bytes=MAX_BYTES, by=by) as stored:
        application = lock(application)
        _check(application, by=by)
        refuse_what_was_purged(stored, application)
        _refuse_what_adds_nothing(application, stored, at=at)
        waiting = SignedCopy.objects.waiting().filter(application=application)
        waiting.update(state=SignedCopy.State.REPLACED, decided_at=at)
        copy = SignedCopy.objects.create(application=application, file=stored, by=by, at=at)
        _mark(application, signed_copy_at=at)
        cancel(application.subject, emails.CALLS_TO_ACT)
        _note(copy, "send_copy", by=by)
        emails.signed_copy_received(copy).save()
        for agent in countersigners_of(application):
            emails.convention_to_countersign(copy, agent).save()
    return copy


def _check(application: Application, *, by: User) -> None:
    if not permissions.test_rule("act_as_referent", by, application):
        raise PermissionDenied
    if not may_be_signed(application):
        raise NotNow(NOT_NOW)


def _refuse_what_adds_nothing(application: Application, stored: StoredFile, *, at: datetime) -> None:
    prepared = Entry.objects.filter(subject=application.subject, verb="prepare_convention")
    if prepared.filter(data__sha256=stored.sha256).exists():
        raise Refused(UNSIGNED)
    copies = SignedCopy.objects.filter(application=application)
    if copies.waiting().filter(file__sha256=stored.sha256).exists():
        raise Refused(TWICE)
    if copies.filter(at__gt=at - timedelta(days=1)).count() >= MOST_A_DAY:
        raise NotNow(TOO_MANY)


def _mark(application: Application, *, signed_copy_at: datetime | None) -> None:
    """The dossier says whom its convention waits for; pages that show it otherwise are old from now on."""
    application.signed_copy_at = signed_copy_at
    application.version += 1
    application.save(update_fields=["signed_copy_at", "version"])


@transaction.atomic
def refuse_copy(application: Application, *, by: User, version: int, message: str, at: datetime) -> None:
    """The référent reads why, and may send another copy. Raises NotNow or PermissionDenied."""
    application = lock(application, version=version)
    copy = waiting_copy(application)
    if not permissions.test_rule("act_as_ans", by, application):
        raise PermissionDenied
    if copy is None or not may_be_signed(application):
        raise NotNow("Aucun exemplaire signé n’attend la signature de l’ANS.")
    _decide(copy, SignedCopy.State.REFUSED, by=by, at=at, message=message)
    _mark(application, signed_copy_at=None)
    cancel(application.subject, emails.CALLS_TO_ACT)
    _note(copy, "refuse_copy", by=by, message=message)
    emails.signed_copy_refused(copy).save()


def countersign(copy: SignedCopy, *, by: User, at: datetime) -> None:
    """The ANS recorded the convention of this copy; called in the transaction that does, on a locked dossier."""
    _decide(copy, SignedCopy.State.COUNTERSIGNED, by=by, at=at)
    cancel(copy.application.subject, emails.CALLS_TO_ACT)


def reopen(copy: SignedCopy, application: Application, at: datetime) -> Place | None:
    """Of a copy that is infected: one that waits goes back to the establishment, which may send another."""
    if copy.state not in (SignedCopy.State.WAITING, SignedCopy.State.COUNTERSIGNED):
        return None
    path = reverse("conventions:convention", args=[application.reference])
    if copy.is_waiting:
        copy.state, copy.decided_at, copy.message = SignedCopy.State.REFUSED, at, INFECTED
        copy.save(update_fields=["state", "decided_at", "message"])
        _mark(application, signed_copy_at=None)
        cancel(application.subject, emails.CALLS_TO_ACT)
    return Place(HOLDERS["signed_copy"], path, is_open=may_be_signed(application))


def waiting_copy(application: Application) -> SignedCopy | None:
    copy = SignedCopy.objects.waiting().filter(application=application).select_related("file", "by").first()
    if copy is not None:
        copy.application = application
    return copy


def _decide(copy: SignedCopy, state: str, *, by: User, at: datetime, message: str = "") -> None:
    copy.state, copy.decided_by, copy.decided_at, copy.message = state, by, at, message
    copy.save(update_fields=["state", "decided_by", "decided_at", "message"])


def note_download(copy: SignedCopy, *, by: User) -> None:
    """Each download leaves a line in the dossier's history."""
    _note(copy, "download_copy", by=by)


def _note(copy: SignedCopy, verb: str, *, by: User, message: str = "") -> None:
    file = copy.file
    data = {"file": str(file.pk), "name": file.name, "size": file.size, "sha256": file.sha256}
    record(copy.application.subject, verb, actor=by.actor, message=message, data=data)


def is_still_waiting(letter: Letter, at: datetime) -> bool:
    """Asked when a call to countersign leaves: its copy still waits."""
    copies = SignedCopy.objects.waiting().filter(pk=letter.premise.get("signed_copy"))
    return copies.filter(application__state="accepted").exists()
