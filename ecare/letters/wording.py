"""The verbs of a letter's text: write a version, put it in force, go back to the file, send a trial to oneself."""

from datetime import datetime

from django.db import IntegrityError, transaction

from ecare.journal.actions import record
from ecare.letters import emails, texts
from ecare.letters.models import SECRET_MARK, Letter, LetterText
from ecare.letters.specimens import CASES

TRIAL = "trial"
"""The name of a trial: no rule of a real letter holds for it."""
TRIAL_MARK = "[Essai] "
IN_ITS_PLACE = "ESSAI"
Actor = tuple[str, str]


class NotNow(Exception):
    """The text has changed meanwhile; the message is for the screen."""


STALE = "Ce texte a été modifié depuis l’affichage de cette page. Relisez-le, puis recommencez."


def save_text(name: str, *, title: str, body: str, by: Actor, at: datetime, shown: int) -> LetterText:
    """The next version, not yet in force. `shown`: the last one that the page knew. Raises words.Fault or NotNow."""
    title, body = title.strip(), body.replace("\r\n", "\n").strip()
    texts.source_from(name, title, body)
    return _next(name, by=by, at=at, shown=shown, title=title, body=body)


@transaction.atomic
def put_in_force(text: LetterText, *, by: Actor, at: datetime) -> None:
    """From now on letters of this name are written from it. Raises words.Fault or NotNow."""
    text = LetterText.objects.select_for_update().get(pk=text.pk)
    if text.in_force_at is not None or text.number != last_number(text.name):
        raise NotNow(STALE)
    texts.source_from(text.name, text.title, text.body)
    before = LetterText.objects.in_force(text.name)
    text.in_force_at = at
    text.save(update_fields=["in_force_at"])
    _tell(text, "edit_letter", by=by, before=before.number if before else 0)


@transaction.atomic
def restore(name: str, *, by: Actor, at: datetime, shown: int) -> None:
    """Back to the file; former versions stay in the history. Raises NotNow."""
    before = LetterText.objects.in_force(name)
    if before is None:
        raise NotNow("Ce courrier est déjà écrit d’après le texte d’origine.")
    text = _next(name, by=by, at=at, shown=shown, is_original=True, in_force_at=at)
    _tell(text, "restore_letter", by=by, before=before.number)


@transaction.atomic
def send_trial(name: str, source: str, *, to: str, case: int, by: Actor) -> Letter:
    """A letter with invented facts, to the administrator who reads it: never to anybody else, never with a secret."""
    letter = emails.write(name, source, to=to, context=CASES[case], is_secret=False)
    letter.name, letter.title = TRIAL, f"{TRIAL_MARK}{letter.title}"[:200]
    letter.text = letter.text.replace(SECRET_MARK, IN_ITS_PLACE)
    letter.html = letter.html.replace(SECRET_MARK, IN_ITS_PLACE)
    letter.link = letter.link.replace(SECRET_MARK, IN_ITS_PLACE)
    letter.save()
    record(_subject(name), "try_letter", actor=by, data={"letter": str(letter.pk)})
    return letter


def last_number(name: str) -> int:
    """Of the last version, in force or not; 0 when there is none."""
    return LetterText.objects.filter(name=name).order_by("-number").values_list("number", flat=True).first() or 0


def _next(name: str, *, by: Actor, at: datetime, shown: int, **fields) -> LetterText:
    if last_number(name) != shown:
        raise NotNow(STALE)
    try:
        with transaction.atomic():
            return LetterText.objects.create(name=name, number=shown + 1, by=by[1], at=at, **fields)
    except IntegrityError:
        raise NotNow(STALE) from None


def _tell(text: LetterText, verb: str, *, by: Actor, before: int) -> None:
    data = {"version": text.number, "before": before, "title": text.title, "body": text.body}
    record(_subject(text.name), verb, actor=by, data=data)


def _subject(name: str) -> str:
    return f"letter_text:{name}"
