"""A change request question by question: boxes and remarks beside each answer, and beside each file, as last sent."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from django import forms

from applications.corrections import Named, last_sending
from applications.forms import parts_of
from applications.history import questions_sent
from applications.models import Application, Question

REMARK_LENGTH = 1000


@dataclass
class Choice:
    """A box and its remark: of a question, or of one file of an evidence space."""

    key: str
    label: str
    said: str
    file: str = ""
    box: forms.BoundField | None = None
    remark: forms.BoundField | None = None
    files: list["Choice"] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Of its box, in the form; of its remark with « remark- » before."""
        return f"item-{self.key}{f'-{self.file}' if self.file else ''}"


@dataclass
class Chapter:
    title: str
    choices: list[Choice]


def chapters_of(application: Application) -> list[Chapter]:
    """The questions that the last sending of the present step answered, or left unanswered, by section."""
    sent = last_sending(application)
    if sent is None:
        return []
    parts = parts_of(questions_sent(sent), sent.answers, application.establishment.entities())
    found = [Chapter(part.section.title, [_choice(row) for row in part.rows if row.is_shown]) for part in parts]
    return [chapter for chapter in found if chapter.choices]


def _choice(row) -> Choice:
    question = row.question
    if question.is_evidence:
        files = [Choice(question.key, f"Fichier « {f['name']} »", "", f["id"]) for f in row.value or []]
        return Choice(question.key, question.label, "" if files else "Aucun fichier", files=files)
    return Choice(question.key, question.label, _said(row))


def _said(row) -> str:
    """The answer in one line: enough to know which it was."""
    if row.question.kind == Question.Kind.CHECKLIST:
        return f"{len(row.lines)} entité{'s' if len(row.lines) > 1 else ''}"
    if row.is_empty:
        return "Sans réponse"
    return " ".join(row.text.split())


def every(chapters: list[Chapter]) -> Iterator[Choice]:
    for chapter in chapters:
        for choice in chapter.choices:
            yield choice
            yield from choice.files


def add_fields(form: forms.Form, chapters: list[Chapter], refused: Mapping[str, str]) -> None:
    """A box and a remark for each choice. `refused`: remarks by file; those files are ticked at first."""
    for choice in every(chapters):
        is_refused = choice.file in refused
        form.fields[choice.name] = forms.BooleanField(label=choice.label, required=False, initial=is_refused)
        form.fields[f"remark-{choice.name}"] = forms.CharField(
            label="Remarque",
            required=False,
            initial=refused.get(choice.file, ""),
            max_length=REMARK_LENGTH,
            widget=forms.Textarea(attrs={"rows": 2, "placeholder": " "}),  # a style tells an empty one by it
            error_messages={
                "max_length": f"Cette remarque est trop longue : {REMARK_LENGTH} caractères au plus.",
            },
        )
        choice.box, choice.remark = form[choice.name], form[f"remark-{choice.name}"]


def named_in(cleaned: dict, chapters: list[Chapter]) -> list[Named]:
    """What is ticked, or has a remark: who writes one means it."""
    return [
        Named(choice.key, choice.file, remark)
        for choice in every(chapters)
        if (remark := _plain(cleaned.get(f"remark-{choice.name}"))) or cleaned.get(choice.name)
    ]


def _plain(text: str | None) -> str:
    return (text or "").replace("\r\n", "\n").strip()
