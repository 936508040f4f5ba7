"""The form of a step, made from its questions, and the same answers as they are read back."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import Truncator

from accounts.models import Civility
from accounts.typed import PAGE_MARK
from applications import corrections, rules
from applications.expenses import Expenses, ExpensesField, read, spoken_expenses
from applications.fields import ChecklistField, field_for, spoken_iban, spoken_phone
from applications.models import (
    Answer,
    Application,
    Domain,
    Fate,
    Question,
    RequestedChange,
    Section,
    answers_of,
    fate_of,
    mark_of,
    questions_of,
)
from applications.money import Ceiling
from applications.notes import ceiling_for, note_of
from ecare import french
from establishments.models import Establishment

EMPTY = (None, "", [], {})
LONGEST_OTHER = 600


@dataclass(frozen=True)
class Conflict:
    """An answer given elsewhere since the page was shown, which what was typed would have written over."""

    question: Question
    answer: Answer
    entities: list

    @property
    def text(self) -> str:
        """The other value as it is read; long ones are cut."""
        value, kind = self.answer.value, self.question.kind
        if value is False or value in EMPTY:
            return "sans réponse"
        if kind == Question.Kind.CHECKLIST:
            names = {entity.finess: entity.name for entity in self.entities}
            lines = [f"{names.get(finess, finess)} : {reason or 'confirmée'}" for finess, reason in value.items()]
            return Truncator(" ; ".join(lines)).chars(LONGEST_OTHER)
        return Truncator(spoken(self.question, value)).chars(LONGEST_OTHER)

    @property
    def mark(self) -> str:
        return mark_of(self.answer)

    @property
    def sentence(self) -> str:
        day = french.paris_datetime(self.answer.updated_at)
        return (
            f"Cette réponse a été modifiée ailleurs le {day} : « {self.text} ». "
            "Ce que vous avez saisi ici n’est pas enregistré."
        )


@dataclass
class Row:
    """A question as one line of the page: its bound field when it can be typed, its value when it is read."""

    question: Question
    value: Any
    is_shown: bool
    condition: str = ""
    bound: forms.BoundField | None = None
    entities: list = field(default_factory=list)
    ceiling: Ceiling | None = None
    iban: str = ""
    is_open: bool = True  # whether a change request leaves it so
    asked: list = field(default_factory=list)  # what the change request says of it

    @property
    def key(self) -> str:
        return self.question.key

    @property
    def mark(self) -> str:
        return self.bound.form.mark_of(self.key)

    @property
    def conflict(self) -> Conflict | None:
        return self.bound.form.conflicts.get(self.key)

    @property
    def is_unsaved(self) -> bool:
        """What was typed came back, and is not kept yet."""
        return self.key in self.bound.form.unsaved

    @property
    def note(self) -> str:
        return note_of(self.question, self.value, self.ceiling, iban=self.iban)

    @property
    def anchor(self) -> str:
        return f"question-{self.question.key}"

    @property
    def is_empty(self) -> bool:
        return self.value in EMPTY

    @property
    def is_missing(self) -> bool:
        """A required question of the page that has no answer."""
        finesses = frozenset(entity.finess for entity in self.entities)
        return self.question.is_required and not rules.is_answered(self.question, self.value, finesses)

    @property
    def shown_if(self) -> str:
        """The condition as the page's module reads it: on other answers only, the establishment is what it is."""
        return json.dumps({key: accepted for key, accepted in self.question.shown_if.items() if key != rules.KIND})

    @property
    def text(self) -> str:
        """The value as a French sentence; files, boxes and checklists have their own shape in the template."""
        return spoken(self.question, self.value)

    @property
    def expenses(self) -> Expenses:
        """Of lines of expenses: each line and the total as they are read."""
        return read(self.value)

    @property
    def lines(self) -> list[tuple[object, str | None]]:
        """Of a checklist: each entity, and "" (confirmed), the reason, or None (nothing said)."""
        return [(entity, (self.value or {}).get(entity.finess)) for entity in self.entities]


@dataclass
class Part:
    """A section and its rows."""

    section: Section
    rows: list[Row]

    @property
    def is_shown(self) -> bool:
        return any(row.is_shown for row in self.rows)

    @property
    def cites_guide(self) -> bool:
        """A box attests something « tel que décrit dans le guide », which the page then links."""
        return any("dans le guide" in row.question.checkbox_label for row in self.rows)


def spoken(question: Question, value) -> str:
    """A stored value as it is read on screen."""
    if value in EMPTY:
        return ""
    kind = question.kind
    if kind in (Question.Kind.CHOICE, Question.Kind.CHOICES, Question.Kind.CIVILITY):
        labels = dict(Civility.choices if kind == Question.Kind.CIVILITY else question.choices)
        chosen = value if isinstance(value, list) else [value]
        return ", ".join(labels.get(one, one) for one in chosen)
    return _SPOKEN.get(kind, str)(value)


_SPOKEN: dict[str, Callable[[Any], str]] = {
    Question.Kind.NUMBER: lambda value: f"{value:,}".replace(",", "\u202f"),
    Question.Kind.AMOUNT: french.euros,
    Question.Kind.DATE: lambda value: french.paris_date(date.fromisoformat(value)),
    Question.Kind.PHONE: spoken_phone,
    Question.Kind.IBAN: spoken_iban,
    Question.Kind.CHECKBOX: lambda value: "Oui" if value else "Non",
    Question.Kind.EXPENSES: spoken_expenses,
}


def condition_of(question: Question, questions: list[Question], values: dict | None = None) -> str:
    """« Prérequis PS1.1 » est « Non »: under which answers, and facts not known in `values`, a question is asked."""
    by_key = {other.key: other for other in questions}
    said = []
    for key, accepted in question.shown_if.items():
        if key == rules.KIND and key not in (values or {}):
            kinds = " ou ".join(f"« {Establishment.Kind(kind).label} »" for kind in accepted)
            said.append(f"l’établissement est de type {kinds}")
        elif key in by_key:
            answers = " ou ".join(f"« {spoken(by_key[key], value)} »" for value in accepted)
            said.append(f"« {by_key[key].label} » est {answers}")
    return " et ".join(said)


def parts_of(
    questions: list[Question],
    values: dict,
    entities=(),
    *,
    form: forms.Form | None = None,
    ceiling: Ceiling | None = None,
) -> list[Part]:
    """The sections of a form with what was answered; `form` adds the fields to type in, `ceiling` what notes say of
    it. What is not for this kind of establishment is left out."""
    entities, parts = list(entities), []
    opening = form.opening if isinstance(form, StepForm) else corrections.ALL
    ibans = (values.get(question.key) for question in questions if question.kind == Question.Kind.IBAN)
    iban = next(filter(None, ibans), "")
    for question in questions:
        if not rules.is_for(question, values):
            continue
        if not parts or parts[-1].section.pk != question.section_id:
            parts.append(Part(question.section, []))
        row = Row(
            question,
            values.get(question.key),
            rules.is_shown(question, values),
            condition_of(question, questions, values) if question.shown_if else "",
            form[question.key] if form is not None and question.key in form.fields else None,
            entities if question.kind == Question.Kind.CHECKLIST else [],
            ceiling,
            iban,
            opening.is_open(question),
            opening.items_of(question),
        )
        parts[-1].rows.append(row)
    return parts


class StepForm(forms.Form):
    """The form of a dossier's present step. Valid or not, `good_values` may be kept: a draft may be incomplete.

    `StepForm(application, request.POST)`, `.is_valid()`, then
    `actions.save_answers(application, by=…, values=form.good_values(), at=…)`.
    """

    use_required_attribute = False

    def __init__(self, application: Application, data=None):
        self.application = application
        self.questions = questions_of(application.form)
        self.opening = corrections.opening_of(application)
        self.conflicts: dict[str, Conflict] = {}
        self.unsaved: set[str] = set()
        self._settled: set[str] = set()
        self._read()
        self.entities = list(application.establishment.entities())
        super().__init__(data, auto_id="id_%s")
        for question in self.questions:
            if not question.is_evidence and rules.is_for(question, self.values) and self.opening.is_open(question):
                made = self.fields[question.key] = field_for(
                    question, entities=self.entities, expenses_from=application.domain.expenses_from
                )
                if question.key in self.values:
                    made.initial = made.typed(self.values[question.key])

    def good_values(self) -> dict[str, object]:
        """Checked values by question key, ready to be kept; without those that stay empty or were never shown."""
        if not self.is_bound:
            return {}
        self.full_clean()
        kept = {key: made.kept for key, made in self.fields.items() if getattr(made, "kept", None) is not None}
        return {
            key: value
            for key, value in (self.cleaned_data | kept).items()
            if self._was_posted(key) and (key in self.values or not (value in EMPTY or value is False))
        }

    def _read(self) -> None:
        self.answers = answers_of(self.application)
        self.values = {key: answer.value for key, answer in self.answers.items()}
        self.values |= rules.facts_of(self.application.establishment)
        for counted in ("progress", "untouched"):
            self.__dict__.pop(counted, None)

    @property
    def marks(self) -> dict[str, str]:
        """What the page had shown, by question key: « Garder la mienne » names the other value that was read."""
        marks = {key: self.data[f"{MARK}{key}"] for key in self.fields if f"{MARK}{key}" in self.data}
        kept, _, other = self.data.get(KEEP, "").partition(":")
        return marks | ({kept: other} if kept in self.fields else {})

    @property
    def chosen(self) -> str:
        """The question whose two values the person has just chosen between."""
        return self.data.get(TAKE) or self.data.get(KEEP, "").partition(":")[0]

    def mark_of(self, key: str) -> str:
        """What the page carries: of the answer that it shows, or still of the one that it had shown."""
        if key in self._settled or key not in self.marks:
            return mark_of(self.answers.get(key))
        return self.marks[key]

    def weigh(self) -> None:
        """Once the good values were kept, or before: each field shows what is stored, unless what was typed there is
        wrong, stands against another answer, or is still to be kept."""
        good = self.good_values()
        taken = self.data.get(TAKE, "")
        self.errors.pop(taken, None)
        self._read()
        for key, made in self.fields.items():
            fate = fate_of(good[key], mark=self.marks.get(key), answer=self.answers.get(key)) if key in good else None
            if fate == Fate.CONFLICT:
                self._tell(key)
            elif fate == Fate.WRITE:
                self.unsaved.add(key)
            elif key not in self.errors:
                self._show_stored(key, made)
            else:
                self.unsaved.add(key)
                if key in good and good[key] == self.values.get(key):  # what is right in it was kept
                    self._settled.add(key)

    def _show_stored(self, key: str, made) -> None:
        made.shows_stored = True
        self.initial[key] = made.typed(self.values[key]) if key in self.values else None
        self._settled.add(key)

    def _tell(self, key: str) -> None:
        answer = self.answers[key]
        self.conflicts[key] = Conflict(answer.question, answer, self.entities)
        self.add_error(key, ValidationError(self.conflicts[key].sentence, code="conflict"))

    def _was_posted(self, key: str) -> bool:
        """An unticked box is not posted, so boxes count whenever the page was posted at all."""
        if key == self.data.get(TAKE):
            return False
        made = self.fields[key]
        if isinstance(made, ExpensesField):
            return f"{key}:lines" in self.data
        is_box = isinstance(made.widget, (forms.CheckboxInput, forms.CheckboxSelectMultiple))
        if is_box or isinstance(made, ChecklistField):
            return PAGE_MARK in self.data
        return key in self.data

    @property
    def changed_list(self) -> str:
        """The question to which a button of the page added a line, or from which it took one away."""
        lists = (key for key, made in self.fields.items() if isinstance(made, ExpensesField))
        return next((key for key in lists if f"{key}:add" in self.data or f"{key}:remove" in self.data), "")

    @cached_property
    def progress(self) -> rules.Progress:
        return rules.progress(self.questions, self.values, frozenset(entity.finess for entity in self.entities))

    @cached_property
    def untouched(self) -> list[RequestedChange]:
        """What an agent asked to change and nobody has changed yet."""
        return self.opening.untouched(self.values)

    @property
    def done(self) -> int:
        """How many of the requested changes are made."""
        return len(self.opening.items) - len(self.untouched)

    def parts(self) -> list[Part]:
        return parts_of(self.questions, self.values, self.entities, form=self, ceiling=self.ceiling)

    @cached_property
    def ceiling(self) -> Ceiling | None:
        return ceiling_for(self.application, self.questions)


STEP_MARK = "_step"
"""Name of the hidden field that says which step the page showed."""
MARK = "_version:"
"""What the names of the hidden fields begin with that say which answer the page showed."""
KEEP, TAKE = "_keep", "_take"
"""« Garder la mienne » (the key, a colon, the mark of the other value) and « Prendre l’autre » (the key)."""


class StartForm(forms.Form):
    """« Candidater à un domaine »: one of the domains that this establishment may start today."""

    domain = forms.ChoiceField(
        label="Sélectionnez dans la liste ci-dessous le domaine auquel vous souhaitez candidater :",
        widget=forms.RadioSelect,
        error_messages={
            "required": "Choisissez un domaine.",
            "invalid_choice": "Ce domaine n’est pas, ou n’est plus, ouvert à votre établissement.",
        },
    )

    def __init__(self, domains: list[Domain], data=None):
        super().__init__(data)
        self.domains = {domain.slug: domain for domain in domains}
        self.fields["domain"].choices = [(domain.slug, _said(domain)) for domain in domains]
        if len(domains) == 1:
            self.fields["domain"].initial = domains[0].slug

    def clean_domain(self) -> Domain:
        return self.domains[self.cleaned_data["domain"]]


def _said(domain: Domain) -> str:
    return f"{domain.name} (domaine d’essai)" if domain.is_trial else domain.name


class VersionForm(forms.Form):
    """What a button that moves a dossier posts: the version that its page showed."""

    version = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
