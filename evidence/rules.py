"""What the law of the vault says: who may download, and what is known of a file that nobody scanned yet."""

from dataclasses import dataclass

from django.conf import settings

from accounts.models import User
from applications.models import Application, Question
from evidence.models import Evidence, PatientDataReport, StoredFile

PREVIEWED = ("application/pdf", "image/jpeg", "image/png")


def may_download(user: User, evidence: Evidence) -> bool:
    """Of those who see it."""
    return evidence.file.scan != StoredFile.Scan.CONTAINER or may_open_containers(user, evidence.application)


def told_of_purge(application: Application, report: PatientDataReport | None, *, by: User) -> list[User]:
    """The référent, and whoever reported the file, if that is somebody else."""
    reporter = [report.by] if report is not None and report.by != by and report.by.is_active else []
    return [application.referent, *reporter]


def is_previewed(file: StoredFile) -> bool:
    """What a browser shows by itself, harmless in a sandbox; its type was found by its content when it came in."""
    return file.media_type in PREVIEWED


def may_open_containers(user: User, application: Application) -> bool:
    """A container is for the ANS alone; the référent gets back what they put in."""
    return user.is_ans or application.referent_id == user.pk


def is_replaceable(evidence: Evidence, application: Application) -> bool:
    """What was sent, or stands in the place of what was: the new file is then read beside the former one."""
    return evidence.added_after < application.sendings or evidence.replaces_id is not None


CONTAINER_FORMATS = ["zed"]
CONTAINER_MAX_BYTES = 49 * 1024 * 1024


RIB_FORMATS = ["pdf", "jpg", "png"]
RIB_MAX_BYTES = 10 * 1024 * 1024


@dataclass(frozen=True)
class BankQuestions:
    """What the candidature asks of the account: what is typed, and the space of the RIB if it has one."""

    fields: list[Question]
    rib: Question | None


def bank_questions(application: Application) -> BankQuestions:
    """Those of the section that asks for the IBAN, whatever the form calls them."""
    of_form = Question.objects.filter(section__form=application.candidature_form_id).select_related("section")
    iban = of_form.filter(kind=Question.Kind.IBAN).first()
    beside = list(of_form.filter(section=iban.section).order_by("position")) if iban else []
    typed = [q for q in beside if q.kind in (Question.Kind.TEXT, Question.Kind.IBAN, Question.Kind.BIC)]
    return BankQuestions(typed, next((q for q in beside if q.is_evidence), None))


def may_load_containers(user: User) -> bool:
    """The ANS makes them; an administrator may load them in its name."""
    return user.is_active and user.role in (User.Role.ANS, User.Role.ADMINISTRATOR)


def first_scan(extension: str) -> str:
    """The state in which a file enters: the antivirus, where there is one, takes it from here."""
    if extension == "zed":
        return StoredFile.Scan.CONTAINER
    return StoredFile.Scan.NOT_SCANNED if settings.EMBEDDED else StoredFile.Scan.PENDING
