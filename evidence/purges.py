"""The verbs about patient data found in a file: reported by an agent, purged for good by the ANS, or kept after all."""

from dataclasses import dataclass
from datetime import datetime

import rules as permissions
from django.core.exceptions import PermissionDenied
from django.db import transaction

from accounts.models import User
from applications.actions import NotNow, lock
from applications.models import PURGED_NAME, Application, RequestedChange, Submission
from applications.rules import readers_of
from applications.states import State
from ecare.french import paris_datetime
from ecare.journal.actions import record
from ecare.letters.models import Letter
from evidence import emails, vault
from evidence.actions import update_answer
from evidence.holders import HOLDERS
from evidence.models import Evidence, PatientDataReport, StoredFile
from evidence.rules import still_reads, told_of_purge

REMARK = "L’ANS a purgé un fichier de cet espace : il contenait des données de patients. Déposez un fichier corrigé."


def deciders_of(application: Application) -> list[User]:
    """Who purges or keeps a file that was reported: the ANS, whatever the state of the dossier."""
    return readers_of(application, state=State.ACCEPTED)


@transaction.atomic
def report_patient_data(evidence: Evidence, *, by: User, reason: str, at: datetime) -> PatientDataReport:
    """From now on the ANS alone reads the file, and decides. Raises NotNow or PermissionDenied."""
    application, evidence = _hold(evidence, "report_patient_data", by=by)
    file = evidence.file
    if file.scan == StoredFile.Scan.REPORTED:
        raise NotNow("Ce fichier est déjà signalé : l’ANS va décider.")
    if not file.is_readable:
        raise NotNow(f"Personne ne lit ce fichier, il ne peut pas être signalé : {file.get_scan_display().lower()}.")
    report = PatientDataReport.objects.create(evidence=evidence, by=by, at=at, reason=reason, scan_before=file.scan)
    _set_scan(file, StoredFile.Scan.REPORTED)
    _note(evidence, "report_patient_data", by=by, message=reason)
    for agent in deciders_of(application):
        emails.patient_data_reported(report, agent).save()
    return report


@transaction.atomic
def purge_evidence(evidence: Evidence, *, by: User, reason: str, at: datetime) -> None:
    """Destroy the bytes of a file, wherever this dossier holds them: only size, digest, who, when and why remain.

    Raises NotNow or PermissionDenied.
    """
    application, evidence = _hold(evidence, "act_as_ans", by=by)
    _purge_same(application, evidence.file.sha256, by=by, reason=reason, at=at)


@dataclass(frozen=True)
class Held:
    """A file of a dossier that stands in no space: a RIB asked for after acceptance, a signed copy."""

    file: StoredFile
    application: Application
    label: str

    @property
    def file_id(self):
        return self.file.pk

    @property
    def question(self) -> dict[str, str]:
        """As the page and the letter of a purge name the place of a file."""
        return {"label": self.label}


def held_file(pk, user: User) -> Held | None:
    """The file, if this person sees the dossier that holds it."""
    visible = Application.objects.visible_to(user)
    for relation, label in HOLDERS.items():
        found = StoredFile.objects.filter(pk=pk, **{f"{relation}__application__in": visible}).first()
        if found is not None:
            return _held(found, relation, label)
    return None


def _held(file: StoredFile, relation: str, label: str) -> Held:
    return Held(file, getattr(file, relation).application, label)


@transaction.atomic
def purge_held(held: Held, *, by: User, reason: str, at: datetime) -> None:
    """The same of a file that stands in no space. Raises NotNow or PermissionDenied."""
    application = lock(held.application)
    if not permissions.test_rule("act_as_ans", by, application):
        raise PermissionDenied
    if StoredFile.objects.get(pk=held.file.pk).is_purged:
        raise NotNow("Ce fichier est déjà purgé.")
    _purge_same(application, held.file.sha256, by=by, reason=reason, at=at)


def _purge_same(application: Application, sha256: str, *, by: User, reason: str, at: datetime) -> None:
    """Every copy of these bytes, wherever the dossier holds them."""
    same = Evidence.objects.filter(application=application, file__sha256=sha256)
    for one in same.exclude(file__scan=StoredFile.Scan.PURGED).select_related("file", "question").order_by("pk"):
        one.application = application
        report = _decided(one, by=by, reason=reason, at=at)
        _forget(one.file)
        _leave_space(one, at=at)
        _open_space(one)
        _hide_name(one)
        _note(one, "purge_evidence", by=by, message=reason)
        for person in told_of_purge(application, report, by=by):
            emails.evidence_purged(report, person).save()
    for relation, label in HOLDERS.items():
        copies = StoredFile.objects.filter(sha256=sha256, **{f"{relation}__application": application})
        for file in copies.exclude(scan=StoredFile.Scan.PURGED).order_by("pk"):
            _forget(file)
            data = {"held": relation, "file": str(file.pk), "size": file.size, "sha256": file.sha256}
            record(application.subject, "purge_evidence", actor=by.actor, message=reason, data=data)
            emails.held_purged(file, label, application, reason=reason).save()


def _decided(evidence: Evidence, *, by: User, reason: str, at: datetime) -> PatientDataReport:
    """The report that was open, or one that says it all at once."""
    report = evidence.reports.open().select_related("by").first()
    if report is None:
        report = PatientDataReport(evidence=evidence, by=by, at=at, reason=reason, scan_before=evidence.file.scan)
    report.evidence = evidence
    report.state, report.decided_by = PatientDataReport.State.PURGED, by
    report.decided_at, report.message = at, reason
    report.save()
    return report


def _forget(file: StoredFile) -> None:
    """The row no longer leads to the bytes, so that they are swept if the process dies before it deletes them."""
    storage_name = StoredFile.objects.select_for_update().get(pk=file.pk).storage_name  # a change of keys moves it
    file.name, file.storage_name, file.scan = PURGED_NAME, f"purged/{file.pk.hex}", StoredFile.Scan.PURGED
    file.scan_after = file.scan_lease = file.scan_leased_until = None  # a word of the antivirus comes too late
    file.save(update_fields=["name", "storage_name", "scan", "scan_after", "scan_lease", "scan_leased_until"])
    transaction.on_commit(lambda: vault.discard(storage_name))


def _leave_space(evidence: Evidence, *, at: datetime) -> None:
    """Its space is free again; that it was there stays in history."""
    if evidence.withdrawn_after is None:
        evidence.withdrawn_after, evidence.withdrawn_at = evidence.application.sendings, at
        evidence.save(update_fields=["withdrawn_after", "withdrawn_at"])
        update_answer(evidence.application, evidence.question)


def _open_space(evidence: Evidence) -> None:
    """A change request that waits and opens only what it names opens this space too."""
    request = evidence.application.change_requests.open().first()
    if request is None or not request.items.exists():
        return
    RequestedChange.objects.get_or_create(
        request=request, question=evidence.question, file=None, defaults={"remark": REMARK}
    )


def _hide_name(evidence: Evidence) -> None:
    """In what was sent, which itself is never altered, and in what was asked to change."""
    number = str(evidence.file_id)
    RequestedChange.objects.filter(file=evidence.file_id).update(file_name=PURGED_NAME)
    listing = []
    for submission in evidence.application.submissions.all():
        files = submission.content["answers"].get(evidence.question.key)
        if isinstance(files, list) and any(one.get("id") == number for one in files):
            submission.purged = [*submission.purged, number]
            listing.append(submission)
    Submission.objects.bulk_update(listing, ["purged"])


@transaction.atomic
def dismiss_report(report: PatientDataReport, *, by: User, message: str, at: datetime) -> None:
    """No patient data after all: the file is read as before. Raises NotNow or PermissionDenied."""
    application = lock(report.evidence.application)
    if not permissions.test_rule("act_as_ans", by, application):
        raise PermissionDenied
    found = PatientDataReport.objects.select_related("by", "evidence__file", "evidence__question")
    report = found.get(pk=report.pk)
    if not report.is_open:
        raise NotNow(f"Ce signalement est déjà décidé : {report.get_state_display().lower()}.")
    report.evidence.application = application
    report.state, report.decided_by = PatientDataReport.State.DISMISSED, by
    report.decided_at, report.message = at, message
    report.save()
    _set_scan(report.evidence.file, report.scan_before)
    _note(report.evidence, "dismiss_report", by=by, message=message)
    if still_reads(report.by, application):
        emails.report_dismissed(report).save()


def _hold(evidence: Evidence, rule: str, *, by: User) -> tuple[Application, Evidence]:
    """The dossier locked, the file read anew on it. Raises PermissionDenied, or NotNow when it is purged already."""
    application = lock(evidence.application)
    if not permissions.test_rule(rule, by, application):
        raise PermissionDenied
    found = Evidence.objects.select_related("file", "question").filter(pk=evidence.pk).first()
    if found is None:
        raise NotNow("Ce fichier n’est plus dans le dossier.")
    found.application = application
    if found.file.is_purged:
        report = found.reports.filter(state=PatientDataReport.State.PURGED).select_related("decided_by").first()
        when = f" le {paris_datetime(report.decided_at)} par {report.decided_by}" if report else ""
        raise NotNow(f"Ce fichier est déjà purgé{when}.")
    return application, found


def _set_scan(file: StoredFile, scan: str) -> None:
    file.scan = scan
    file.save(update_fields=["scan"])


def _note(evidence: Evidence, verb: str, *, by: User, message: str) -> None:
    """Size and digest, never the name."""
    file = evidence.file
    data = {"question": evidence.question.key, "file": str(file.pk), "size": file.size, "sha256": file.sha256}
    record(evidence.application.subject, verb, actor=by.actor, message=message, data=data)


def is_still_open(letter: Letter, at: datetime) -> bool:
    """Asked when the call to decide leaves."""
    return PatientDataReport.objects.open().filter(pk=letter.premise.get("report")).exists()
