"""What a page says of an evidence space and its files."""

from django import template
from django.conf import settings
from django.db.models import Count
from django.utils import timezone

from applications.corrections import opening_of
from applications.models import Application, Question
from ecare.french import NBSP, megabytes
from evidence.emails import space_path
from evidence.files import MEDIA_TYPES
from evidence.files.names import extension_of
from evidence.models import Container, Evidence, SpaceTemplate, StoredFile, Upload
from evidence.rules import PREVIEWED, is_reopened, is_replaceable, may_open_containers
from evidence.states import READABLE, WITHHELD
from evidence.uploads import take_refusals
from evidence.vault import PART

register = template.Library()


@register.filter
def space_rule(question: Question) -> str:
    """The limits in one sentence, from the definition that the browser and the server use too."""
    count = question.max_files
    return f"{file_rule(question)} {count}{NBSP}fichier{'s' if count > 1 else ''} maximum."


@register.filter
def file_rule(question: Question) -> str:
    """What one file may be."""
    size = f"Taille : {question.max_megabytes} Mo maximum par fichier."
    return f"{size} Formats autorisés : {', '.join(question.formats)}."


@register.filter
def accepted(question: Question) -> str:
    """The value of `accept` of the file control."""
    return ",".join(f".{known}" for known in [*question.formats, *(["jpeg"] if "jpg" in question.formats else [])])


@register.simple_tag
def template_of(application: Application, question: Question) -> SpaceTemplate | None:
    """The model to fill in of a space, in its latest version; read once for a page."""
    if not hasattr(application, "_templates"):
        latest = SpaceTemplate.objects.latest_of(application.domain).defer("content")
        application._templates = {template.question: template for template in latest}
    return application._templates.get(question.key)


@register.filter
def has_preview(name: str) -> bool:
    """Whether a browser shows such a file by itself."""
    return MEDIA_TYPES.get(extension_of(name)) in PREVIEWED


@register.simple_tag(takes_context=True)
def file_facts(context, file: dict) -> dict:
    """Of one file of an answer: what is known of it, and what this person may do with it."""
    return _facts(context, _register(context["application"]).get(file["id"]), name=file["name"])


def _facts(context, evidence: Evidence | None, *, name: str) -> dict:
    application, user = context["application"], context["request"].user
    scan = evidence.file.scan if evidence else ""
    is_container = extension_of(name) == "zed"
    return {
        "scan": StoredFile.Scan(scan).label if scan else "",
        "is_readable": scan in READABLE,
        "is_withheld": scan in WITHHELD,
        "is_infected": scan == StoredFile.Scan.INFECTED,
        "is_reopened": evidence is not None and is_reopened(evidence, application),
        "is_sent": evidence is not None and evidence.added_after < application.sendings,
        "is_for_ans": is_container and not may_open_containers(user, application),
        "is_replaceable": evidence is not None and is_replaceable(evidence, application),
        "may_move": evidence is not None and _may_move(evidence, application),
    }


def _may_move(evidence: Evidence, application: Application) -> bool:
    """Whether a change request lets the file leave its space; what it says is read once for a page."""
    if not hasattr(application, "_opening"):
        application._opening = opening_of(application)
    was_sent = evidence.added_after < application.sendings
    return application._opening.may_move(evidence.question, str(evidence.file_id), was_sent=was_sent)


def _register(application: Application) -> dict[str, Evidence]:
    """Read once for a page, however many spaces it shows."""
    if application.pk is None:  # a form is previewed
        return {}
    if not hasattr(application, "_register"):
        rows = Evidence.objects.filter(application=application)
        rows = rows.select_related("file", "question__section__form", "replaced_by__file")
        application._register = {str(row.file_id): row for row in rows}
    return application._register


@register.simple_tag(takes_context=True)
def withheld_files(context) -> list[dict]:
    """The files of the dossier that stand in their space and that nobody can read, each with the address of its
    space."""
    application = context["application"]
    found = []
    for row in _register(application).values():
        if row.withdrawn_after is None and row.file.is_withheld:
            row.application = application
            facts = _facts(context, row, name=row.file.name)
            found.append({"evidence": row, "facts": facts, "address": space_path(row)})
    return found


@register.simple_tag(takes_context=True)
def former_files(context, question: Question) -> list[tuple[Evidence, dict]]:
    """What was sent from this space, then replaced or taken back; each with its facts."""
    rows = _register(context["application"]).values()
    former = [row for row in rows if row.question_id == question.pk and row.withdrawn_after is not None]
    return [(row, _facts(context, row, name=row.file.name)) for row in former]


@register.simple_tag(takes_context=True)
def unfinished(context, question: Question) -> list[Upload]:
    """The files on their way to a space: this person may go on with them, or give them up."""
    application, user = context["application"], context["request"].user
    if application.pk is None:
        return []
    if not hasattr(application, "_unfinished"):
        mine = application.uploads.filter(started_by=user).on_their_way(timezone.now())
        application._unfinished = list(mine.annotate(arrived=Count("parts")))
    return [one for one in application._unfinished if one.question_id == question.pk]


@register.simple_tag
def part_bytes() -> str:
    """Larger files go in parts."""
    return str(PART)


@register.filter
def arrived(upload: Upload) -> str:
    """« 10 Mo sur 49 Mo », from the parts that have come."""
    return f"{megabytes(min(upload.arrived * PART, upload.size))} sur {megabytes(upload.size)}"


@register.simple_tag(takes_context=True)
def refusals(context, question: Question) -> list[tuple[str, str]]:
    """The files of the latest deposit that were refused in this space, shown once: name and reason."""
    return take_refusals(context["request"], context["application"], question)


@register.simple_tag
def container_of(application: Application, question: Question) -> Container | None:
    """The live container of a space's objective; read once for a page, however many spaces it shows."""
    if application.pk is None:
        return None
    if not hasattr(application, "_containers"):
        live = Container.objects.live().filter(application=application).defer("password")
        application._containers = {container.objective: container for container in live}
    return application._containers.get(question.container)


@register.simple_tag
def hands_out_containers(parts) -> bool:
    """Whether a space of the form does."""
    return any(row.question.container for part in parts for row in part.rows)


@register.simple_tag
def zed_url() -> str:
    """Where the program that opens containers is downloaded."""
    return settings.ZED_URL
