"""The verb of a file that is sent by itself: a step as it was last sent, but for the one that takes another's place."""

from datetime import datetime

from accounts.models import User
from applications.actions import NotNow, freeze
from applications.models import Application, Question, Submission

NOT_LISTED = "Ce fichier n’est pas dans le dernier envoi : rechargez la page pour voir le dossier tel qu’il est."


def send_in_place(
    application: Application, question: Question, *, former: str, file: dict[str, object], by: User, at: datetime
) -> Submission:
    """On a locked dossier, whose state and whose dates of transmission stand; pages that show it otherwise are old from
    now on. `former`: the id of the file that was sent; `file`: what an answer says of one. Raises NotNow."""
    step = question.section.form.step
    last = application.submissions.filter(step=step).order_by("-number").first()
    listed = last.content["answers"].get(question.key, []) if last else []
    if last is None or former not in {one["id"] for one in listed}:
        raise NotNow(NOT_LISTED)
    answers = last.content["answers"] | {question.key: [file if one["id"] == former else one for one in listed]}
    content = last.content | {"answers": answers, "in_place_of": former}
    submission = freeze(application, step, content, by=by, at=at, purged=last.purged)
    application.sendings += 1
    application.version += 1
    application.save(update_fields=["sendings", "version"])
    return submission
