"""Which text a letter is written from: its file, or the version that an administrator put in force."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.conf import settings
from django.template import Engine, TemplateSyntaxError

from ecare.letters import words
from ecare.letters.models import LetterText

log = logging.getLogger(__name__)

HEADING = re.compile(r"\s*Objet\s*:\s*(?P<title>.+)")
OBJECT = "Objet : "
LONGEST_TITLE = 400
LONGEST_BODY = 20_000
FOOTER = "footer"


def names() -> list[str]:
    """Of every letter that has a file."""
    folder = settings.BASE_DIR / "templates" / "letters"
    return sorted(path.stem for path in folder.glob("*.txt") if path.stem != FOOTER)


def file_of(name: str) -> str:
    """The source that the house ships."""
    return Engine.get_default().get_template(f"letters/{name}.txt").source


def original(name: str) -> tuple[str, str]:
    """Title and body of the file, in French. Raises words.NoWord."""
    heading, _, body = words.in_french(file_of(name)).strip().partition("\n")
    found = HEADING.fullmatch(heading)
    if found is None:
        raise ValueError(f"letters/{name}.txt does not start with « Objet : … »")
    return found["title"], body.strip()


_READ: ContextVar[dict[str, str] | None] = ContextVar("_READ", default=None)


@contextmanager
def read_once() -> Iterator[None]:
    """Of many letters that are written together, each text is read once."""
    token = _READ.set({})
    try:
        yield
    finally:
        _READ.reset(token)


def source_of(name: str) -> str:
    """What the letters of this name are written from today."""
    read = _READ.get()
    if read is None:
        return _source_of(name)
    if name not in read:
        read[name] = _source_of(name)
    return read[name]


def _source_of(name: str) -> str:
    """A text that no longer fits its file is left aside: no letter is ever lost for its words."""
    text = LetterText.objects.in_force(name)
    if text is None:
        return file_of(name)
    try:
        return source_from(name, text.title, text.body)
    except (words.Fault, words.NoWord) as fault:
        log.warning("the text %s of the letter %s is left aside: %s", text.number, name, type(fault).__name__)
        return file_of(name)


def source_from(name: str, title: str, body: str) -> str:
    """A text as the source of a letter, checked against its file. Raises words.Fault or words.NoWord."""
    known = words.places(file_of(name))
    heading, rest = words.expanded(title, known), words.expanded(body, known)
    check(title, body, known)
    for part in (heading, rest):
        try:
            Engine.get_default().from_string(part)
        except TemplateSyntaxError:
            raise words.Fault(
                "Un passage n’est pas refermé : chaque « {{ si … }} » a son « {{ fin }} », et chaque "
                "« {{ pour chaque … }} » son « {{ fin de la liste }} », dans l’objet comme dans le texte."
            ) from None
    return f"{OBJECT}{heading}\n\n{rest}\n"


def check(title: str, body: str, known: dict[str, str]) -> None:
    """What the rules of a letter ask beyond its places. Raises words.Fault."""
    if not title.strip() or "\n" in title.strip():
        raise words.Fault("L’objet tient sur une ligne, et il n’est pas vide.")
    if not body.strip():
        raise words.Fault("Le texte est vide.")
    if len(title) > LONGEST_TITLE or len(body) > LONGEST_BODY:
        raise words.Fault(f"{LONGEST_TITLE} caractères au plus pour l’objet, {LONGEST_BODY} pour le texte.")
    if any(words.is_secret(word) for word, _depth in words.depths(title)):
        raise words.Fault("L’objet d’un courrier ne porte ni code ni lien personnel : il se lit sans l’ouvrir.")
    always = {word for word, depth in words.depths(body) if depth == 0}
    for word in (word for word in known if words.is_secret(word)):
        if word not in always:
            raise words.Fault(
                f"« {{{{ {word} }}}} » doit rester dans le texte, hors de tout passage « si » : sans lui, la personne "
                "ne peut rien faire de ce courrier."
            )
