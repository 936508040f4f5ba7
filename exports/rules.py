"""What the law of exports says: who may ask for what, what may be in it, and whether it is still theirs."""

from datetime import timedelta

from accounts.models import User
from applications.models import Application, Question
from ecare.journal.models import Entry
from evidence.models import PatientDataReport
from exports.models import Export

MOST_UNFINISHED = 3  # of one person
SAME_REQUEST = timedelta(minutes=1)  # within it, the same request is the same export
KEPT = timedelta(days=7)
MOST_KEPT = 20  # of one person; the oldest goes when another is asked for
MOST_ATTEMPTS = 3
BANK_KINDS = (Question.Kind.TEXT, Question.Kind.IBAN, Question.Kind.BIC)

NO_LONGER_AGENT = "Votre compte ne permet plus de préparer des exports."
NO_LONGER_SEEN = "Vous n’avez plus accès à ce dossier."
NO_LONGER_THEIRS = (
    "Vos droits ont changé depuis la préparation de cet export : il ne peut plus vous être remis. "
    "Demandez-en un nouveau."
)
FILE_WITHDRAWN = (
    "Depuis la préparation de cet export, un fichier de ses dossiers a été signalé ou purgé pour des données de "
    "patients : il ne peut plus vous être remis. Demandez-en un nouveau."
)


FILE_INFECTED = (
    "Depuis la préparation de cet export, l’antivirus a trouvé infecté un fichier de ses dossiers : il ne peut plus "
    "vous être remis. Demandez-en un nouveau, qui ne contiendra pas ce fichier."
)


def may_export(user: User) -> bool:
    return user.is_active and user.is_reviewer


def may_archive(user: User) -> bool:
    """A whole domain, with its evidence."""
    return user.is_active and user.is_ans


def may_read_bank_details(user: User) -> bool:
    """Whether they leave the portal with this person; on its pages the ARS reads them too."""
    return user.is_ans


def bank_keys(questions: list[Question]) -> frozenset[str]:
    """The questions about the account in a form: those typed in the section that asks for the IBAN."""
    sections = {question.section_id for question in questions if question.kind == Question.Kind.IBAN}
    return frozenset(q.key for q in questions if q.section_id in sections and q.kind in BANK_KINDS)


def is_still_theirs(user: User, export: Export) -> bool:
    """Whether everything in a finished export may still be read by whoever asked for it."""
    if not may_export(user) or user.role != export.role:
        return False
    if export.is_of_dossier and not Application.objects.visible_to(user).filter(reference=export.what).exists():
        return False
    return user.is_ans or set(export.regions) <= user.region_codes


def tells_of_a_purged_file(export: Export) -> bool:
    """Whether a file of its dossiers was purged since its building began: its bytes, or its name, may be in it."""
    entries = Entry.objects.filter(verb="purge_evidence", at__gte=export.started_at)
    subjects = entries.values_list("subject", flat=True)
    return _tells_of(export, {subject.removeprefix("application:") for subject in subjects})


def tells_of_a_quarantined_file(export: Export) -> bool:
    """The same of a file found infected since: whoever unpacks the archive would have it on their computer."""
    if export.kind not in Export.WITH_FILES:
        return False
    entries = Entry.objects.filter(verb="quarantine_file", at__gte=export.started_at)
    subjects = entries.values_list("subject", flat=True)
    return _tells_of(export, {subject.removeprefix("application:") for subject in subjects})


def tells_of_a_withheld_file(user: User, export: Export) -> bool:
    """The same of a file that the ANS alone reads until it decides."""
    reports = PatientDataReport.objects.open().filter(at__gte=export.started_at)
    references = reports.values_list("evidence__application__reference", flat=True)
    return not user.is_ans and _tells_of(export, set(references))


def _tells_of(export: Export, references: set[str]) -> bool:
    """Of any of these dossiers; of a list, as far as its regions tell."""
    if export.is_of_dossier:
        return export.what in references
    dossiers = Application.objects.filter(reference__in=references, establishment__region__in=export.regions)
    return bool(references) and dossiers.exists()


def is_still_ready(letter, at) -> bool:
    """« Votre export est prêt » is worth sending while there is something to fetch."""
    number = letter.subject.removeprefix("export:")
    return Export.objects.kept().filter(pk=number, expires_at__gt=at).exists()
