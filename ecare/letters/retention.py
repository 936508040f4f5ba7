"""How long the words of a letter are kept. Its row stays: that it was written, when, to whom and what became of it."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from ecare.letters import files, rules
from ecare.letters.models import Letter

GONE = "(texte effacé)"
BATCH = 1000
State = Letter.State
ENDED = (State.SENT, State.FAILED, State.CANCELLED, State.GATHERED)
NOWORDS = {"title": GONE, "text": "", "html": "", "link": "", "premise": {}}


def forget(at: datetime) -> dict[str, int]:
    """The words of old letters, and the mailbox of those that leave no trace: how many."""
    old = Letter.objects.filter(created_at__lt=at - timedelta(days=settings.LETTER_WORDS_KEPT_DAYS), state__in=ENDED)
    last = Letter.objects.filter(name__in=rules.last_words(), state__in=ENDED).exclude(recipient=rules.NOBODY)
    return {"words of letters": erase_words(old, most=BATCH), "last letters": erase_words(last, recipient=rules.NOBODY)}


def erase_words(letters: QuerySet[Letter], *, most: int | None = None, **changes) -> int:
    """Of these letters; one that has not left never does. `changes`: of other columns."""
    found = letters if changes else letters.exclude(text="", html="")
    chosen = list(found.only("pk", "created_at", "state")[:most])
    keys = [letter.pk for letter in chosen]
    with transaction.atomic():
        now = timezone.now()
        Letter.objects.waiting(now).filter(pk__in=keys).update(state=State.CANCELLED, secret=None, lease=None)
        Letter.objects.filter(pk__in=keys).update(**NOWORDS, **changes)
    if settings.EMBEDDED:
        for letter in chosen:
            files.path_of(letter).unlink(missing_ok=True)
    return len(keys)
