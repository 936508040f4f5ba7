"""The questions and answers of « Aide », as people write them in `fixtures/aide/*.yaml`.

An answer is paragraphs; a line that starts with « - » is one of a list; `[words](name of an address)` is a link.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

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

    def score(self, words: list[str]) -> tuple[int, int]:
        """How many of the words it holds, and how many in its title."""
        return sum(word in self.all_words for word in words), sum(word in self.title_words for word in words)


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
    words = [_root(word) for word in normalised(text).split() if word not in SMALL_WORDS]
    if not words:
        return Found([])
    scored = [(question.score(words), question) for topic in topics() for question in topic.questions]
    scored = [(score, question) for score, question in scored if score[0]]
    best = max((score[0] for score, _ in scored), default=0)
    kept = sorted((pair for pair in scored if pair[0][0] == best), key=lambda pair: -pair[0][1])
    return Found([question for _, question in kept], is_partial=bool(kept) and best < len(words))


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
