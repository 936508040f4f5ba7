"""What agents wrote beside the dossiers of a domain: notes and opinions, for the archive alone.

A note is its desk's own, or meant for both: whoever asks gets those that they read on screen, and no others (ADR 24).
"""

from array import array
from collections.abc import Iterator
from datetime import datetime

from accounts.models import User
from applications.models import Application
from applications.states import Desk
from ecare.french import NBSP
from exports.readers import CHUNK
from reviews.models import Note, Opinion

FILE = "notes-et-avis.csv"
HEADINGS = ("Dossier", "Nature", "Écrit le", "Auteur", "Service", "Lu par", "Destinataire", "Texte", "Avis", "Rendu le")
Line = list[str | datetime | None]


def lines(numbers: array, user: User) -> Iterator[Line]:
    """Dossier by dossier, in the order of the archive; in each by date."""
    for start in range(0, len(numbers), CHUNK):
        wanted = numbers[start : start + CHUNK].tolist()
        dossiers = Application.objects.visible_to(user).in_bulk(wanted)
        found: dict[int, list[tuple[datetime, Line]]] = {}
        for note in Note.objects.visible_to(user).filter(application__in=list(dossiers)).select_related("author"):
            found.setdefault(note.application_id, []).append((note.at, _of_note(note)))
        for opinion in Opinion.objects.filter(application__in=list(dossiers)).select_related("asked_by", "of"):
            found.setdefault(opinion.application_id, []).append((opinion.asked_at, _of_opinion(opinion)))
        for pk in wanted:
            for _, line in sorted(found.get(pk, []), key=lambda one: one[0]):
                yield [dossiers[pk].reference, *line]


def _of_note(note: Note) -> Line:
    desk = Desk(note.desk).label
    readers = " et ".join(Desk.labels) if note.is_shared else desk
    return ["Note", note.at, str(note.author), desk, readers, None, note.text, None, None]


def _of_opinion(opinion: Opinion) -> Line:
    """The question and, once it is given, the answer."""
    said = None
    if opinion.given_at:
        said = opinion.get_advice_display() + (f"{NBSP}: {opinion.answer}" if opinion.answer else "")
    asked, of, readers = str(opinion.asked_by), str(opinion.of), " et ".join(Desk.labels)
    return ["Avis", opinion.asked_at, asked, None, readers, of, opinion.question, said, opinion.given_at]
