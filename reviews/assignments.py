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
def assign(references: list[str], *, to: User | None, by: User) -> int:
    """Give these dossiers to an agent of the same desk, who gets one letter, or to nobody. Returns how many changed
    hands.

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
    held = dict(
        Assignment.objects.filter(application__in=dossiers, desk=desk).values_list("application_id", "agent_id")
    )
    changed = [dossier for dossier in dossiers if held.get(dossier.pk) != (to.pk if to else None)]
    Assignment.objects.filter(application__in=changed, desk=desk).delete()
    if to is not None:
        Assignment.objects.bulk_create(Assignment(application=d, desk=desk, agent=to, by=by) for d in changed)
    told = {"desk": str(desk), "agent": to.actor[0] if to else "", "name": str(to or "")}
    record_each([dossier.subject for dossier in changed], "assign", actor=by.actor, data=told)
    if to is not None and to != by and changed:
        emails.dossiers_assigned(changed, to, by=by).save()
    return len(changed)


def are_still_followed(letter: Letter, at: datetime) -> bool:
    """Asked when the letter leaves: one of the dossiers at least is still theirs."""
    given = {"agent": letter.premise.get("agent"), "application__in": letter.premise.get("dossiers", [])}
    return Assignment.objects.filter(**given).exists()


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
    dossiers = "1 dossier n’est plus suivi" if count == 1 else f"{count} dossiers ne sont plus suivis"
    if agent is None:
        return f"{dossiers} par personne."
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
