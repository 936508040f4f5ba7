"""What agents write beside a dossier: notes, opinions, what they think of each file."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from applications import corrections
from applications.actions import NotNow, lock
from applications.models import Application
from applications.states import Desk
from ecare.journal.actions import record
from ecare.journal.models import Entry
from ecare.letters.actions import cancel, resend
from ecare.letters.models import Letter
from reviews import emails
from reviews.models import FileVerdict, Note, Opinion
from reviews.rules import may_be_asked, may_be_resent, may_judge

NOT_RESENT = (
    "Ce courrier ne peut pas être renvoyé : il n’est pas encore parti, il porte un secret, "
    "ou il ne concerne plus son destinataire."
)


def _require_agent(agent: User) -> None:
    if not (agent.is_active and agent.is_reviewer):
        raise PermissionDenied


# --- notes --------------------------------------------------------------------------------------------------------
@transaction.atomic
def add_note(application: Application, *, by: User, text: str, is_shared: bool) -> Note:
    _require_agent(by)
    note = Note.objects.create(application=application, author=by, desk=Desk.of(by), text=text, is_shared=is_shared)
    record(application.subject, "add_note", actor=by.actor, data={"note": note.pk, "is_shared": is_shared})
    return note


@transaction.atomic
def remove_note(note: Note, *, by: User) -> None:
    """By its author alone; that there was one stays in the journal."""
    if note.author_id != by.pk:
        raise PermissionDenied
    record(note.application.subject, "remove_note", actor=by.actor, data={"note": note.pk})
    note.delete()


# --- opinions -----------------------------------------------------------------------------------------------------
@transaction.atomic
def ask_opinion(application: Application, *, by: User, of: User, question: str) -> Opinion:
    """Ask a colleague who may see the dossier. Raises NotNow or PermissionDenied."""
    _require_agent(by)
    if of == by or not may_be_asked(of, application):
        raise PermissionDenied
    try:
        with transaction.atomic():
            opinion = Opinion.objects.create(application=application, asked_by=by, of=of, question=question)
    except IntegrityError:
        raise NotNow(f"Un avis est déjà demandé à {of} sur ce dossier : attendez sa réponse.") from None
    record(application.subject, "ask_opinion", actor=by.actor, data={"of": of.actor[0], "name": str(of)})
    emails.opinion_asked(opinion).save()
    return opinion


@transaction.atomic
def give_opinion(opinion: Opinion, *, by: User, advice: str, answer: str, at: datetime) -> None:
    """By whom it was asked of, once. Raises NotNow or PermissionDenied."""
    _require_agent(by)
    opinion = (
        Opinion.objects.select_for_update(of=("self",)).select_related("application", "asked_by").get(pk=opinion.pk)
    )
    if opinion.of_id != by.pk:
        raise PermissionDenied
    if opinion.given_at is not None:
        raise NotNow("Vous avez déjà donné cet avis.")
    opinion.advice, opinion.answer, opinion.given_at = advice, answer, at
    opinion.save()
    record(opinion.application.subject, "give_opinion", actor=by.actor, data={"advice": advice})
    cancel(opinion.application.subject, ["opinion_asked"], premise=emails.about_opinion(opinion))
    if may_be_asked(opinion.asked_by, opinion.application):
        emails.opinion_given(opinion).save()


# --- files --------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Judged:
    """One file of the last sending, by its id; `decision` empty: nothing is said of it any more."""

    file: str
    decision: str
    remark: str = ""


@transaction.atomic
def judge(application: Application, *, by: User, judged: Sequence[Judged], at: datetime) -> int:
    """Accept or refuse files piece by piece, for this desk. Returns how many verdicts changed.

    Raises NotNow or PermissionDenied.
    """
    _require_agent(by)
    application = lock(application)
    if not may_judge(by, application):
        raise NotNow("Les pièces de ce dossier ne sont pas à examiner par vous dans son état actuel.")
    listed, desk = _listed(application), Desk.of(by)
    if any(one.file not in listed for one in judged):
        raise NotNow("Un des fichiers n’est plus dans le dernier envoi : rechargez la page.")
    kept = {str(one.file_id): one for one in FileVerdict.objects.filter(application=application, desk=desk)}
    changed = [one for one in judged if _differs(kept.get(one.file), one)]
    FileVerdict.objects.filter(desk=desk, file__in=[one.file for one in changed]).delete()
    FileVerdict.objects.bulk_create(
        FileVerdict(
            application=application, file_id=one.file, desk=desk, decision=one.decision, remark=one.remark, by=by, at=at
        )
        for one in changed
        if one.decision
    )
    if changed:
        told = [{"file": one.file, "decision": one.decision, "remark": one.remark} for one in changed]
        record(application.subject, "judge_files", actor=by.actor, data={"desk": str(desk), "files": told})
    return len(changed)


def _listed(application: Application) -> set[str]:
    """The ids of all files that the last sending of the present step lists."""
    sent = corrections.last_sending(application)
    values = sent.content["answers"].values() if sent else ()
    lists = (value for value in values if isinstance(value, list))
    return {one["id"] for files in lists for one in files if isinstance(one, dict) and "sha256" in one}


def _differs(kept: FileVerdict | None, judged: Judged) -> bool:
    if kept is None:
        return bool(judged.decision)
    return (kept.decision, kept.remark) != (judged.decision, judged.remark)


RESENT_A_DAY = 10
AGAIN_TOO_SOON = (
    "Ce courrier a déjà été renvoyé il y a moins d’une heure. S’il n’arrive pas, vérifiez l’adresse avec la personne."
)
RESENT_ENOUGH = (
    f"{RESENT_A_DAY} courriers de ce dossier ont déjà été renvoyés en un jour. "
    "Recommencez demain, ou appelez la personne."
)


# --- letters ------------------------------------------------------------------------------------------------------
def _hold_back(letter: Letter, application: Application) -> None:
    """The same words once an hour, the original or a copy of it; so many letters of a dossier a day."""
    now = timezone.now()
    today = Entry.objects.filter(subject=application.subject, verb="resend_letter", at__gt=now - timedelta(days=1))
    resent = list(today.values_list("at", "data"))
    if len(resent) >= RESENT_A_DAY:
        raise NotNow(RESENT_ENOUGH)
    same = Letter.objects.about(application.subject).filter(
        name=letter.name, recipient=letter.recipient, title=letter.title, text=letter.text
    )
    twins = {str(pk) for pk in same.values_list("pk", flat=True)}
    if any(at > now - timedelta(hours=1) and data["again"] in twins for at, data in resent):
        raise NotNow(AGAIN_TOO_SOON)


@transaction.atomic
def resend_letter(letter: Letter, application: Application, *, by: User) -> Letter:
    """A new letter with the same words to the same person. Raises NotNow or PermissionDenied."""
    _require_agent(by)
    application = lock(application)
    if not may_be_resent(letter, application):
        raise NotNow(NOT_RESENT)
    _hold_back(letter, application)
    again = resend(letter)
    data = {"letter": str(letter.pk), "again": str(again.pk), "name": letter.name}
    record(application.subject, "resend_letter", actor=by.actor, data=data)
    return again
