"""The questions and answers of « Aide », as people write them in `fixtures/aide/*.yaml`.

An answer is paragraphs; a line that starts with « - » is one of a list; `[words](name of an address)` is a link.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol, TypeVar

import yaml
from django.conf import settings
from django.urls import reverse
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from establishments.models import normalised

FOLDER = Path(settings.BASE_DIR) / "fixtures" / "aide"
LINK = re.compile(r"\[(?P<words>[^\]]+)\]\((?P<name>[\w:]+)\)")
SHORT = 3
SMALL_WORDS = frozenset(
    "a ai au aux avec c ce ces cette combien comment d dans de des doit dois du elle en est et faire fait il j je l la "
    "le les leur m ma mais me mes mon n ne nos notre ou par pas peut peux pour pourquoi puis qu que quel quelle quels "
    "qui quoi s sa se ses si son sont suis sur t ta te un une vos votre y".split()
)


class Searched(Protocol):
    """What has a title and words, as search compares them."""

    @property
    def title_words(self) -> str: ...

    @property
    def all_words(self) -> str: ...


Told = TypeVar("Told", bound=Searched)


@dataclass(frozen=True)
class Question:
    slug: str
    question: str
    answer: str
    title_words: str  # as search compares them, each between spaces
    all_words: str

    @property
    def blocks(self):
        """The answer in reading order: pairs (is it a list, its lines as safe HTML)."""
        for paragraph in self.answer.split("\n\n"):
            lines = [line.strip() for line in paragraph.splitlines() if line.strip()]
            is_list = bool(lines) and all(line.startswith("- ") for line in lines)
            if is_list:
                yield True, [_with_links(line.removeprefix("- ")) for line in lines]
            elif lines:
                yield False, [_with_links(" ".join(lines))]


@dataclass(frozen=True)
class Topic:
    title: str
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class Found:
    """What a search found; `is_partial`: no question holds every word, these hold some."""

    questions: list[Question]
    is_partial: bool = False


@cache
def topics() -> tuple[Topic, ...]:
    return tuple(_topic(yaml.safe_load(file.read_text(encoding="utf-8"))) for file in sorted(FOLDER.glob("*.yaml")))


def search(text: str) -> Found:
    """The questions that hold every word that counts, the best first; else those that hold the most."""
    words = words_of(text)
    found = ranked([question for topic in topics() for question in topic.questions], words)
    best = max((held for held, _ in found), default=0)
    kept = [question for held, question in found if held == best]
    return Found(kept, is_partial=bool(kept) and best < len(words))


def words_of(text: str) -> list[str]:
    """Those that count, as they are found."""
    return [_root(word) for word in normalised(text).split() if word not in SMALL_WORDS]


def ranked(told: Iterable[Told], words: list[str]) -> list[tuple[int, Told]]:
    """What holds some of the words, with how many; those that hold more in their title come first."""
    scored = [
        (sum(word in one.all_words for word in words), sum(word in one.title_words for word in words), one)
        for one in told
    ]
    return [
        (held, one) for held, _, one in sorted((found for found in scored if found[0]), key=lambda found: -found[1])
    ]


def _root(word: str) -> str:
    """How a word is found: a short one whole, a longer one by its beginning, so that « fichiers » finds « fichier »."""
    if len(word) <= SHORT:
        return f" {word} "
    return f" {word[:-1]}" if len(word) > SHORT + 1 and word[-1] in "sx" else f" {word}"


def _topic(content: dict) -> Topic:
    return Topic(content["title"], tuple(_question(entry) for entry in content["questions"]))


def _question(entry: dict) -> Question:
    answer = entry["answer"].strip()
    told = LINK.sub(r"\g<words>", answer)
    return Question(
        slug=entry["slug"],
        question=entry["question"],
        answer=answer,
        title_words=f" {normalised(entry['question'])} ",
        all_words=f" {normalised(' '.join([entry['question'], entry.get('words', ''), told]))} ",
    )


def _with_links(text: str) -> SafeString:
    """Everything escaped but the links to our own addresses."""
    found, at = [], 0
    for link in LINK.finditer(text):
        anchor = format_html('<a href="{}">{}</a>', reverse(link["name"]), link["words"])
        found += [escape(text[at : link.start()]), anchor]
        at = link.end()
    return mark_safe("".join([*found, escape(text[at:])]))
