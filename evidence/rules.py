"""What the law of the vault says: who may download, and what is known of a file that nobody scanned yet."""

from dataclasses import dataclass

from django.conf import settings

from accounts.models import User
from applications.corrections import account_of
from applications.models import Application, Question
from applications.rules import readers_of
from applications.states import AWAITS_ARS
from evidence.models import Evidence, PatientDataReport, StoredFile

PREVIEWED = ("application/pdf", "image/jpeg", "image/png")


def may_download(user: User, evidence: Evidence) -> bool:
    """Of those who see it."""
    return evidence.file.scan != StoredFile.Scan.CONTAINER or may_open_containers(user, evidence.application)


def still_reads(agent: User, application: Application) -> bool:
    """Whether an agent who had to do with the dossier still sees it: their role or their regions may have changed."""
    return agent.is_reviewer and Application.objects.visible_to(agent).filter(pk=application.pk).exists()


def told_of_purge(application: Application, report: PatientDataReport | None, *, by: User) -> list[User]:
    """The référent, whoever reported the file, and the agents of the ARS while the dossier lies on their desk."""
    agents = list(readers_of(application)) if application.state in AWAITS_ARS else []
    if report is not None and report.by not in agents and still_reads(report.by, application):
        agents.append(report.by)
    return [application.referent, *(agent for agent in agents if agent != by)]


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
    return BankQuestions(*account_of(of_form))


def may_load_containers(user: User) -> bool:
    """The ANS makes them; an administrator may load them in its name."""
    return user.is_active and user.role in (User.Role.ANS, User.Role.ADMINISTRATOR)


def first_scan(extension: str) -> str:
    """The state in which a file enters: the antivirus, where there is one, takes it from here."""
    if extension == "zed":
        return StoredFile.Scan.CONTAINER
    return StoredFile.Scan.NOT_SCANNED if settings.EMBEDDED else StoredFile.Scan.PENDING
