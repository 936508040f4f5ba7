"""Who follows a dossier at a desk, and the views of the queue that an agent keeps."""

from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db import transaction

from accounts.models import User
from applications.models import Application
from applications.states import Desk
from ecare.journal.actions import record_each
from ecare.letters.models import Letter
from reviews import emails
from reviews.models import Assignment, SavedView

MOST_AT_ONCE = 500
MOST_VIEWS = 30


class NotTheirs(Exception):
    """The agent does not see one of the dossiers; the message is for the screen."""


class TooMany(Exception):
    """The message is for the screen."""


@transaction.atomic
def assign(references: list[str], *, to: User | None, by: User, of: User | None = None) -> int:
    """Give these dossiers to an agent of the same desk, who gets one letter, or to nobody. Returns how many changed
    hands. `of`: only those that this agent follows.

    Raises PermissionDenied, or NotTheirs when the agent may not see one of them.
    """
    if not (by.is_active and by.is_reviewer):
        raise PermissionDenied
    if to is not None and (to.role != by.role or not to.is_active):
        raise PermissionDenied
    desk = Desk.of(by)
    visible = Application.objects.visible_to(by).filter(reference__in=references)
    dossiers = list(visible.select_for_update(of=("self",)).order_by("pk"))
    if to is not None:
        theirs = set(Application.objects.visible_to(to).filter(reference__in=references).values_list("pk", flat=True))
        if strange := [dossier.reference for dossier in dossiers if dossier.pk not in theirs]:
            raise NotTheirs(_strange(strange, to))
    kept = Assignment.objects.filter(application__in=dossiers, desk=desk).select_related("agent")
    held = {assignment.application_id: assignment.agent for assignment in kept}
    changed = [dossier for dossier in dossiers if held.get(dossier.pk) != to]
    if of is not None:
        changed = [dossier for dossier in changed if held.get(dossier.pk) == of]
    Assignment.objects.filter(application__in=changed, desk=desk).delete()
    if to is not None:
        Assignment.objects.bulk_create(Assignment(application=d, desk=desk, agent=to, by=by) for d in changed)
    told = {"desk": str(desk), "agent": to.actor[0] if to else "", "name": str(to or "")}
    former = {dossier.subject: held.get(dossier.pk) for dossier in changed}
    record_each(former, "assign", actor=by.actor, data=lambda subject: told | _former(former[subject]))
    if to is not None and to != by and changed:
        emails.dossiers_assigned(changed, to, by=by).save()
    return len(changed)


def are_still_followed(letter: Letter, at: datetime) -> bool:
    """Asked when the letter leaves: one of the dossiers at least is still theirs."""
    given = {"agent": letter.premise.get("agent"), "application__in": letter.premise.get("dossiers", [])}
    return Assignment.objects.filter(**given).exists()


def _former(agent: User | None) -> dict[str, str]:
    return {"former": agent.actor[0], "former_name": str(agent)} if agent else {}


def _strange(references: list[str], agent: User) -> str:
    if len(references) == 1:
        return f"{agent} ne voit pas le dossier n°\u00a0{references[0]}\u00a0: il est d’une autre région. Décochez-le."
    return (
        f"{agent} ne voit pas {len(references)} de ces dossiers, qui sont d’une autre région\u00a0: "
        f"{', '.join(references[:5])}{'…' if len(references) > 5 else ''}. Décochez-les, ou choisissez une région."
    )


def said(count: int, agent: User | None, *, by: User) -> str:
    """What the page says once it is done."""
    if not count:
        return "Rien n’a changé\u00a0: ces dossiers étaient déjà suivis ainsi."
    if agent is None:
        return f"Plus personne ne suit {'ce dossier' if count == 1 else f'ces {count} dossiers'}."
    dossiers = "1 dossier est suivi" if count == 1 else f"{count} dossiers sont suivis"
    if agent == by:
        return f"{dossiers} par vous."
    return f"{dossiers} par {agent}, qui en est prévenu par courrier électronique."


@transaction.atomic
def save_view(owner: User, *, name: str, query: str) -> SavedView:
    """Keep a view under its name; the same name again replaces it. Raises TooMany."""
    User.objects.select_for_update(of=("self",)).get(pk=owner.pk)
    kept = SavedView.objects.filter(owner=owner)
    if not kept.filter(name=name).exists() and kept.count() >= MOST_VIEWS:
        raise TooMany(f"Vous avez déjà {MOST_VIEWS} vues\u00a0: supprimez-en une avant d’en enregistrer une autre.")
    return SavedView.objects.update_or_create(owner=owner, name=name, defaults={"query": query})[0]
