"""What the law of the vault says: who may download, what is known of a file that nobody scanned yet, and
which file may be replaced though the dossier is closed."""

from dataclasses import dataclass

from django.conf import settings

from accounts.models import User
from applications.corrections import account_of
from applications.models import Application, Question
from applications.rules import readers_of
from applications.states import AWAITS_ARS, BEING_CORRECTED, ENDED, Desk, State
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


def told_of_quarantine(application: Application) -> list[User]:
    """The agents at whose desk a dossier with an infected file lies, or who wait for its correction; once it was
    accepted, and lies at none, the ANS. Nobody of a dossier that is over."""
    if application.state in ENDED or application.candidature_submitted_at is None:
        return []
    if application.state in BEING_CORRECTED:
        asked = application.change_requests.open().first()
        is_for_ars = asked is not None and asked.desk == Desk.ARS
        return readers_of(application, state=State.SUBMITTED if is_for_ars else State.UNDER_CONTROL)
    return readers_of(application) or readers_of(application, state=State.UNDER_CONTROL)


def is_of_past_step(evidence: Evidence, application: Application) -> bool:
    """Of the candidature, while the dossier stands in its declaration."""
    return evidence.question.section.form_id != application.form.pk


def is_reopened(evidence: Evidence, application: Application) -> bool:
    """Whether the référent may put another file in the place of this one alone, whatever the state of the dossier: it
    was sent, nobody can read it, and the dossier goes on."""
    if not evidence.file.is_withheld or evidence.withdrawn_after is not None or application.state in ENDED:
        return False
    if evidence.added_after >= application.sendings:
        return False
    step = evidence.question.section.form.step
    last = application.submissions.filter(step=step).order_by("-number").first()
    sent = last.content["answers"].get(evidence.question.key) if last else None
    return str(evidence.file_id) in {file["id"] for file in sent or []}


def is_sent_at_once(evidence: Evidence, application: Application) -> bool:
    """Whether what takes the place of this file leaves by itself, and not with the next sending of the step."""
    return is_reopened(evidence, application) and (
        not application.is_editable or is_of_past_step(evidence, application)
    )


UNREAD = {
    StoredFile.Scan.PENDING: "L’antivirus n’a pas encore analysé ce fichier : il ne peut être ni lu ni téléchargé. "
    "L’analyse prend en général moins d’une minute ; rechargez la page un peu plus tard.",
    StoredFile.Scan.INFECTED: "L’antivirus a trouvé ce fichier infecté : il est en quarantaine, et personne ne peut le "
    "lire ni le télécharger.",
    StoredFile.Scan.FAILED: "L’antivirus n’a pas pu analyser ce fichier : par précaution, personne ne peut le lire ni "
    "le télécharger. L’ANS peut demander une nouvelle analyse ; l’établissement peut remplacer le fichier.",
}
"""What a page answers in the place of a file."""


def why_unread(file: StoredFile) -> str:
    known = UNREAD.get(StoredFile.Scan(file.scan))
    return known or f"Ce fichier ne peut pas être téléchargé : {file.get_scan_display().lower()}."


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
    """The state in which a référent's file enters: the antivirus, where there is one, takes it from here."""
    if settings.SCANNER:
        return StoredFile.Scan.PENDING
    return StoredFile.Scan.CONTAINER if extension == "zed" else StoredFile.Scan.NOT_SCANNED
