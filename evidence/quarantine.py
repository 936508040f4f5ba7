"""The verbs about a file that the antivirus condemned: put in quarantine, its space opened for it alone, cleared again.

Each takes the dossier first, as every verb does, then the file, and only while the worker's lease on it is good.
"""

from datetime import date, datetime

from django.db import transaction

from applications import rules as law
from applications.actions import Incomplete, lock
from applications.corrections import opening_of
from applications.models import Application, RequestedChange
from ecare.journal.actions import record
from ecare.letters.actions import cancel
from ecare.letters.models import Letter
from evidence import emails
from evidence.holders import Place, application_of, reopened_place
from evidence.models import Evidence, PatientDataReport, StoredFile
from evidence.rules import is_of_past_step, is_reopened, is_sent_at_once, told_of_quarantine
from evidence.states import Scan

REMARK = "L’antivirus a trouvé ce fichier infecté. Déposez un fichier sain à sa place."


@transaction.atomic
def settle(file: StoredFile, scan: str, *, at: datetime, found: str = "") -> bool:
    """What the antivirus said of a file that this worker holds. False when it is not ours any more."""
    application = application_of(file)
    if application is not None:
        application = lock(application)
    now = _ours(file)
    if now is None:
        return False
    was = now.scan
    _write(now, scan, at=at, found=found)
    if application is None:
        return True
    if was == Scan.REPORTED:
        _keep_reported(now, scan)
    elif was == Scan.INFECTED and scan != Scan.INFECTED:
        _lift(now, application, is_clean=scan != Scan.FAILED)
    if scan == Scan.INFECTED and was != Scan.INFECTED:
        _condemn(now, application, at=at)
    elif scan == Scan.FAILED and was != Scan.FAILED:
        _note(now, application, "fail_scan" if _is_sent(now, application) else "fail_scan_of_draft")
    return True


def quarantine(file: StoredFile, *, found: str, at: datetime) -> bool:
    """Nobody reads it any more, from this transaction on; the référent may put another in its place."""
    return settle(file, Scan.INFECTED, at=at, found=found)


def _ours(file: StoredFile) -> StoredFile | None:
    locked = StoredFile.objects.select_for_update(of=("self",)).filter(pk=file.pk, scan_lease=file.scan_lease)
    return locked.exclude(scan=Scan.PURGED).first()


def _write(file: StoredFile, scan: str, *, at: datetime, found: str) -> None:
    file.scan, file.scan_found, file.scanned_at = scan, found, at
    file.scan_after = file.scan_lease = file.scan_leased_until = None
    file.scan_attempts = 0
    file.save(
        update_fields=[
            "scan",
            "scan_found",
            "scanned_at",
            "scan_after",
            "scan_lease",
            "scan_leased_until",
            "scan_attempts",
        ]
    )


def _keep_reported(file: StoredFile, scan: str) -> None:
    """The ANS reads what was reported in order to decide: a clean file stays reported, any other leaves its hands too.
    Should it dismiss the report, the file is what the antivirus said."""
    PatientDataReport.objects.open().filter(evidence__file=file).update(scan_before=scan)
    if scan not in (Scan.INFECTED, Scan.FAILED):
        file.scan = Scan.REPORTED
        file.save(update_fields=["scan"])


# --- found infected -----------------------------------------------------------------------------------------------
def _condemn(file: StoredFile, application: Application, *, at: datetime) -> None:
    place = _place_of(file, application, at)
    _note(file, application, "quarantine_file" if _is_sent(file, application) else "quarantine_file_of_draft")
    if place is None:  # it was replaced or taken back already: history alone knows it
        return
    until = None if place.leaves_at_once else _until(application, at)
    emails.file_quarantined(file, application, application.referent, place, until=until).save()
    if place.is_sent:
        for agent in told_of_quarantine(application):
            emails.file_quarantined(file, application, agent, place, until=until).save()


def _evidence_of(file: StoredFile) -> Evidence | None:
    found = Evidence.objects.select_related("file", "question__section__form").filter(file=file)
    return found.first()


def _place_of(file: StoredFile, application: Application, at: datetime) -> Place | None:
    """Where it stands now. A RIB that was confirmed stands in its space, and is changed where it was asked for."""
    beside = reopened_place(file, application, at)
    evidence = _evidence_of(file)
    if evidence is None or evidence.withdrawn_after is not None or (beside is not None and beside.is_open):
        return beside
    evidence.application = application
    is_sent = _is_sent(file, application)
    is_open, leaves_at_once = is_reopened(evidence, application), is_sent_at_once(evidence, application)
    if not is_of_past_step(evidence, application) and law.is_open_for_answers(application, at):
        is_open = is_open or opening_of(application).is_open(evidence.question)
        _name_in_request(evidence)
    path = emails.space_path(evidence)
    return Place(evidence.question.label, path, is_open=is_open, is_sent=is_sent, leaves_at_once=leaves_at_once)


def _name_in_request(evidence: Evidence) -> None:
    """A change request that opens only what it names names this file too."""
    request = evidence.application.change_requests.open().first()
    if request is None or not request.items.exists() or evidence.added_after >= evidence.application.sendings:
        return
    named = {"request": request, "question": evidence.question, "file": evidence.file_id}
    told = {"file_name": evidence.file.name, "remark": REMARK}
    RequestedChange.objects.get_or_create(**named, defaults=told)


def _is_sent(file: StoredFile, application: Application) -> bool:
    """Whether reviewers know of it: what is in a draft is its référent's alone."""
    evidence = _evidence_of(file)
    return evidence is None or evidence.added_after < application.sendings


def _until(application: Application, at: datetime) -> date | None:
    """By when the step is to be sent; None: as soon as possible."""
    asked = application.change_requests.open().first()
    deadline = law.deadline(application, at, request=asked)
    return deadline.day or (asked.due_on if asked else None)


def refuse_infected(application: Application) -> None:
    """Asked before a step is transmitted: nothing infected is sent. Raises Incomplete."""
    known = law.known_of(application)
    standing = Evidence.objects.current().filter(application=application, question__section__form=application.form)
    for evidence in standing.filter(file__scan=Scan.INFECTED).select_related("file", "question"):
        if law.is_shown(evidence.question, known):
            raise Incomplete(
                f"Le fichier «\u00a0{evidence.file.name}\u00a0» de l’espace «\u00a0{evidence.question.label}\u00a0» "
                "est infecté : il ne peut pas être transmis. Retirez-le ou remplacez-le par un fichier sain, "
                "puis transmettez à nouveau."
            )


# --- not infected after all ---------------------------------------------------------------------------------------
def _lift(file: StoredFile, application: Application, *, is_clean: bool) -> None:
    """Its own letters that wait are untrue; whoever had read one is told, unless the file has left its place."""
    cancel(application.subject, ["file_quarantined"], premise={"file": str(file.pk)})
    _note(file, application, "lift_quarantine" if _is_sent(file, application) else "lift_quarantine_of_draft")
    if not is_clean:
        return
    told = Letter.objects.about(application.subject).filter(name="file_quarantined", premise={"file": str(file.pk)})
    addresses = set(told.filter(state=Letter.State.SENT).values_list("recipient", flat=True))
    for person in {application.referent, *told_of_quarantine(application)}:
        if person.email in addresses:
            emails.quarantine_lifted(file, application, person).save()


def _note(file: StoredFile, application: Application, verb: str) -> None:
    """Size and digest, never the name. The verbs « of a draft » stand in no history that is shown to agents."""
    data = {"file": str(file.pk), "size": file.size, "sha256": file.sha256, "found": file.scan_found}
    record(application.subject, verb, data=data)


def is_still_in_quarantine(letter: Letter, at: datetime) -> bool:
    """Asked when the letter leaves: the file is still infected, and was not replaced or taken out meanwhile."""
    file = StoredFile.objects.infected().filter(pk=letter.premise.get("file")).first()
    evidence = _evidence_of(file) if file else None
    return file is not None and (evidence is None or evidence.withdrawn_after is None)
