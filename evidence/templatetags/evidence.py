"""What a page says of an evidence space and its files."""

from django import template

from applications.models import Application, Question
from ecare.french import NBSP
from evidence.files import MEDIA_TYPES
from evidence.files.names import extension_of
from evidence.models import StoredFile
from evidence.rules import PREVIEWED, may_open_containers
from evidence.uploads import take_refusals

register = template.Library()


@register.filter
def space_rule(question: Question) -> str:
    """The limits in one sentence, from the definition that the browser and the server use too."""
    count = question.max_files
    return (
        f"Taille : {question.max_megabytes} Mo maximum par fichier. "
        f"Formats autorisés : {', '.join(question.formats)}. "
        f"{count}{NBSP}fichier{'s' if count > 1 else ''} maximum."
    )


@register.filter
def accepted(question: Question) -> str:
    """The value of `accept` of the file control."""
    return ",".join(f".{known}" for known in [*question.formats, *(["jpeg"] if "jpg" in question.formats else [])])


@register.filter
def has_preview(name: str) -> bool:
    """Whether a browser shows such a file by itself."""
    return MEDIA_TYPES.get(extension_of(name)) in PREVIEWED


@register.simple_tag(takes_context=True)
def file_facts(context, file: dict) -> dict:
    """Of one file of an answer: what is known of it, and whether this person may download it."""
    application, user = context["application"], context["request"].user
    scan = _scans(application).get(file["id"])
    is_container = extension_of(file["name"]) == "zed"
    is_readable = scan in StoredFile.READABLE
    return {
        "scan": StoredFile.Scan(scan).label if scan else "",
        "is_readable": is_readable,
        "is_for_ans": is_container and not may_open_containers(user, application),
    }


def _scans(application: Application) -> dict[str, str]:
    """Read once for a page, however many spaces it shows."""
    if not hasattr(application, "_scans"):
        rows = StoredFile.objects.filter(evidence__application=application).values_list("pk", "scan")
        application._scans = {str(pk): scan for pk, scan in rows}
    return application._scans


@register.simple_tag(takes_context=True)
def refusals(context, question: Question) -> list[tuple[str, str]]:
    """The files of the latest deposit that were refused in this space, shown once: name and reason."""
    return take_refusals(context["request"], context["application"], question)
