"""The verb that gives an evidence space the document to fill in."""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from applications.models import Domain, Question
from ecare.journal.actions import SYSTEM, record
from evidence import files
from evidence.models import SpaceTemplate

FORMATS = ["docx", "xlsx", "pdf"]
MAX_BYTES = 10 * 1024 * 1024


def asks_for(domain: Domain, question: str) -> bool:
    """Whether an evidence space of the domain's forms, in whatever version, bears this key."""
    spaces = Question.objects.filter(section__form__domain=domain, kind=Question.Kind.EVIDENCE)
    return spaces.filter(key=question).exists()


@transaction.atomic
def publish_template(
    domain: Domain, question: str, *, title: str, upload, by: User | None, at: datetime
) -> SpaceTemplate | None:
    """The next version of the model of a space, checked as any file that comes in; None when it says what the last
    one says. Raises Refused."""
    checked = files.check(upload, formats=FORMATS, max_bytes=MAX_BYTES)
    domain = Domain.objects.select_for_update().get(pk=domain.pk)
    last = SpaceTemplate.objects.filter(domain=domain, question=question).order_by("-number").first()
    if last is not None and (last.sha256, last.title, last.name) == (checked.sha256, title, checked.name):
        return None
    upload.seek(0)
    template = SpaceTemplate.objects.create(
        domain=domain,
        question=question,
        number=last.number + 1 if last else 1,
        title=title,
        name=checked.name,
        content=upload.read(),
        size=checked.size,
        sha256=checked.sha256,
        published_at=at,
        published_by=by,
    )
    data = {"question": question, "number": template.number, "name": template.name, "sha256": template.sha256}
    record(f"domain:{domain.slug}", "publish_template", actor=by.actor if by else SYSTEM, data=data)
    return template
