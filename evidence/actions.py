"""The verbs of the vault: put a file in, replace it, take it back, note who read it, sweep what nobody refers to."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import rules as permissions
from django.apps import apps
from django.core.exceptions import PermissionDenied
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from applications import rules as law
from applications.actions import NotNow, lock, write_answer
from applications.corrections import opening_of
from applications.models import Application, Question
from applications.rules import known_of
from applications.supplements import send_in_place
from ecare.journal.actions import record
from evidence import emails, files, vault
from evidence.files import Refused
from evidence.holders import HOLDERS
from evidence.models import Container, Evidence, SpaceTemplate, StoredFile
from evidence.rules import first_scan, is_reopened, is_replaceable, is_sent_at_once, told_of_quarantine

CLOSED = "Ce formulaire n’est plus modifiable : ses fichiers ne peuvent plus changer."
NOT_ASKED = "Ce fichier n’est pas à modifier : la demande de modification n’en parle pas."


@contextmanager
def storing(upload, *, formats: list[str], max_bytes: int, by: User) -> Iterator[StoredFile]:
    """Check and seal an uploaded file; its block runs in one transaction with the new row. Raises Refused.

    When the block raises, neither row nor stored bytes remain:

        with storing(upload, formats=["pdf"], max_bytes=…, by=agent) as stored:
            ...  # the row that refers to it, the verb
    """
    checked = files.check(upload, formats=formats, max_bytes=max_bytes)
    spool = getattr(upload, "spool", None) or vault.sealed(upload.chunks())
    storage_name = vault.keep(spool)
    with transaction.atomic():
        try:
            yield StoredFile.objects.create(
                name=checked.name,
                size=checked.size,
                sha256=checked.sha256,
                media_type=checked.media_type,
                storage_name=storage_name,
                key_name=spool.key_name,
                scan=first_scan(checked.extension),
                created_by=by,
            )
        except BaseException:
            # Not after a failed commit: whether it took place is then unknown, and sweeping will tell.
            vault.discard(storage_name)
            raise


# --- the référent -------------------------------------------------------------------------------------------------
def add(application: Application, question: Question, *, upload, by: User, at: datetime) -> Evidence:
    """Put a file into an evidence space. Raises Refused, NotNow or PermissionDenied."""
    check_space(application, question, by=by, at=at)  # before any byte is looked at; again once locked
    with storing(upload, formats=question.formats, max_bytes=question.max_bytes, by=by) as stored:
        return place(stored, application, question, by=by, at=at)


def replace(evidence: Evidence, *, upload, by: User, at: datetime) -> Evidence:
    """Put a file in the place of one that was sent, which stays in history. Raises what `add` raises."""
    application, question = evidence.application, evidence.question
    check_space(application, question, by=by, at=at, instead_of=evidence)
    with storing(upload, formats=question.formats, max_bytes=question.max_bytes, by=by) as stored:
        return place(stored, application, question, by=by, at=at, instead_of=evidence)


def place(
    stored: StoredFile,
    application: Application,
    question: Question,
    *,
    by: User,
    at: datetime,
    instead_of: Evidence | None = None,
) -> Evidence:
    """Give a stored file its place in a space; called in the transaction of `storing`."""
    application = lock(application)
    if instead_of is not None:
        instead_of = _current(instead_of)
    check_space(application, question, by=by, at=at, instead_of=instead_of)
    if _space(application, question).filter(file__sha256=stored.sha256).exists():
        raise Refused("Ce fichier se trouve déjà dans cet espace : il n’a pas été ajouté une seconde fois.")
    if Container.objects.filter(application=application, sha256=stored.sha256).exists():
        raise Refused(
            "Ce conteneur est celui que vous avez téléchargé, encore vide. "
            "Ouvrez-le avec ZED, ajoutez vos pièces, fermez-le, puis déposez-le à nouveau."
        )
    _refuse_what_belongs_elsewhere(stored, application, question)
    refuse_what_was_purged(stored, application)
    replaces, leaves_at_once = None, False
    if instead_of is not None:
        leaves_at_once = is_sent_at_once(instead_of, application)
        was_sent = _take_out(instead_of, application, at=at)
        replaces = instead_of if was_sent else instead_of.replaces
    evidence = Evidence.objects.create(
        application=application, question=question, file=stored, added_after=application.sendings, replaces=replaces
    )
    update_answer(application, question)
    if instead_of is None:
        _note(evidence, "add_evidence", by=by)
    elif leaves_at_once:
        _send_at_once(evidence, instead_of, by=by, at=at)
    else:
        _note(evidence, "replace_evidence", by=by, replaces=str(instead_of.file.pk))
    return evidence


def _send_at_once(evidence: Evidence, former: Evidence, *, by: User, at: datetime) -> None:
    """In the place of a file that nobody can read: the dossier stays sent as it was, and its desk is told."""
    application, number = evidence.application, str(former.file_id)
    submission = send_in_place(application, evidence.question, former=number, file=_said(evidence.file), by=by, at=at)
    sending = {"submission": str(submission.number), "step": submission.step, "digest": submission.digest}
    _note(evidence, "replace_withheld", by=by, replaces=number, **sending)
    for person in (application.referent, *told_of_quarantine(application)):
        emails.withheld_file_replaced(evidence, former, submission, person).save()


def _refuse_what_belongs_elsewhere(stored: StoredFile, application: Application, question: Question) -> None:
    """A model as it was downloaded, or the container of another objective. Raises Refused."""
    if SpaceTemplate.objects.filter(domain=application.domain_id, sha256=stored.sha256).exists():
        raise Refused(
            "Ce fichier est le modèle tel qu’il se télécharge, encore vide. Remplissez-le, enregistrez-le, "
            "puis déposez-le à nouveau."
        )
    if not question.container:
        return
    elsewhere = Evidence.objects.current().filter(application=application, file__sha256=stored.sha256)
    other = elsewhere.exclude(question=question).select_related("question").first()
    if other is not None:
        raise Refused(
            f"Ce conteneur est déjà déposé dans un autre espace, « {other.question.label} ». "
            "Déposez ici celui de cet objectif."
        )


def refuse_what_was_purged(stored: StoredFile, application: Application) -> None:
    """Destroyed once, the same bytes do not come back. Raises Refused."""
    purged = StoredFile.objects.filter(scan=StoredFile.Scan.PURGED, sha256=stored.sha256)
    if any(purged.filter(**{f"{relation}__application": application}).exists() for relation in ("evidence", *HOLDERS)):
        raise Refused(
            "Ce fichier a été purgé : il contient des données de patients. "
            "Retirez-les, puis déposez le fichier corrigé."
        )


@transaction.atomic
def remove(evidence: Evidence, *, by: User, at: datetime) -> None:
    """Take a file out of its space: for good before it was ever sent, else kept in history. Raises NotNow."""
    application = lock(evidence.application)
    evidence = _current(evidence)
    check_open(application, evidence.question, by=by, at=at, moving=evidence)
    _note(evidence, "remove_evidence", by=by)
    _take_out(evidence, application, at=at)
    update_answer(application, evidence.question)


def _current(evidence: Evidence) -> Evidence:
    """Read anew on a locked dossier. Raises NotNow when it left its space meanwhile."""
    found = Evidence.objects.select_related("file", "question__section__form", "application", "replaces")
    now = found.current().filter(pk=evidence.pk).first()
    if now is None:
        raise NotNow("Ce fichier a déjà été retiré ou remplacé.")
    return now


def _take_out(evidence: Evidence, application: Application, *, at: datetime) -> bool:
    """Into history, or for good if it was never sent. Returns whether it was."""
    if evidence.added_after < application.sendings:
        evidence.withdrawn_after, evidence.withdrawn_at = application.sendings, at
        evidence.save(update_fields=["withdrawn_after", "withdrawn_at"])
        return True
    storage_name = StoredFile.objects.select_for_update().get(pk=evidence.file_id).storage_name  # keys may have changed
    evidence.delete()
    evidence.file.delete()
    transaction.on_commit(lambda: vault.discard(storage_name))
    return False


def check_open(
    application: Application, question: Question, *, by: User, at: datetime, moving: Evidence | None = None
) -> None:
    """Whether the space may change. `moving`: the file that is to leave it. Raises NotNow or PermissionDenied."""
    if not permissions.test_rule("act_as_referent", by, application):
        raise PermissionDenied
    if not law.is_open_for_answers(application, at) or question.section.form_id != application.form.pk:
        raise NotNow(CLOSED)
    opening = opening_of(application)
    if not opening.is_open(question):
        raise NotNow(NOT_ASKED)
    if moving is not None:
        was_sent = moving.added_after < application.sendings
        if not opening.may_move(question, str(moving.file_id), was_sent=was_sent):
            raise NotNow(NOT_ASKED)


def check_open_for(
    application: Application, question: Question, *, by: User, at: datetime, instead_of: Evidence | None
) -> None:
    """The same for a file that comes; in the place of one that nobody can read it may come whatever the state."""
    if instead_of is None or not is_reopened(instead_of, application):
        check_open(application, question, by=by, at=at, moving=instead_of)
    elif not permissions.test_rule("act_as_referent", by, application):
        raise PermissionDenied


def check_space(
    application: Application, question: Question, *, by: User, at: datetime, instead_of: Evidence | None = None
) -> None:
    """Whether one more file may enter, or one in the place of another. Raises Refused, NotNow or PermissionDenied."""
    check_open_for(application, question, by=by, at=at, instead_of=instead_of)
    if not question.is_evidence or not law.is_shown(question, known_of(application, question.section.form)):
        raise NotNow(
            "Cet espace de dépôt n’est pas demandé, au vu de vos autres réponses. "
            "Enregistrez le formulaire, puis déposez le fichier à nouveau si besoin."
        )
    if instead_of is not None and not is_replaceable(instead_of, application):
        raise NotNow("Ce fichier n’a pas encore été transmis. Retirez-le, puis déposez le nouveau.")
    others = _space(application, question)
    if instead_of is not None:
        others = others.exclude(pk=instead_of.pk)
    if others.count() >= question.max_files:
        raise Refused(
            f"Cet espace contient déjà {question.max_files} fichier{'s' if question.max_files > 1 else ''}, "
            "le nombre maximum. Retirez-en un avant d’en déposer un autre."
        )


def _space(application: Application, question: Question):
    return Evidence.objects.filter(application=application, question=question).current()


def update_answer(application: Application, question: Question) -> None:
    """What the form, its progress and its digest read of a space."""
    current = _space(application, question).select_related("file")
    write_answer(application, question, [_said(evidence.file) for evidence in current])


def _said(file: StoredFile) -> dict[str, object]:
    """Of one file in an answer."""
    return {"id": str(file.pk), "name": file.name, "size": file.size, "sha256": file.sha256}


def _note(evidence: Evidence, verb: str, *, by: User, **more: str) -> None:
    file = evidence.file
    data = {
        "question": evidence.question.key,
        "file": str(file.pk),
        "name": file.name,
        "size": file.size,
        "sha256": file.sha256,
    } | more
    record(evidence.application.subject, verb, actor=by.actor, data=data)


# --- whoever reads ------------------------------------------------------------------------------------------------
def note_download(evidence: Evidence, *, by: User) -> None:
    """Each download leaves a line in the dossier's history."""
    _note(evidence, "download_evidence", by=by)


# --- upkeep -------------------------------------------------------------------------------------------------------
def sweep(*, older_than: timedelta) -> tuple[list[str], list[StoredFile]]:
    """Delete stored bytes that no row refers to (a process died between the two), and find rows without bytes.

    Young ones are left: their row may be about to be written. Raises StoreDown.
    """
    known = _referred_to()
    found, swept = set(vault.names()), []
    for name in sorted(found - known):
        try:
            age = timezone.now() - default_storage.get_modified_time(name)
        except FileNotFoundError:  # deleted meanwhile, by whom it was of
            continue
        if age < older_than:
            continue
        if name not in _referred_to(storage_name=name):  # one that was written since the list was made
            vault.discard(name)
            swept.append(name)
    rows = StoredFile.objects.exclude(scan=StoredFile.Scan.PURGED).iterator()
    missing = [row for row in rows if row.storage_name not in found and not default_storage.exists(row.storage_name)]
    return swept, missing


def _referred_to(**which: str) -> set[str]:
    """The names in storage that a row refers to, of whatever room: who keeps sealed bytes calls the column so."""
    keepers = [model for model in apps.get_models() if any(f.name == "storage_name" for f in model._meta.fields)]
    return {
        name for model in keepers for name in model._base_manager.filter(**which).values_list("storage_name", flat=True)
    }
