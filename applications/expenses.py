"""Lines of expenses: one question answered by many lines, each checked cell by cell, and the same lines as they are
read. A line may be saved before it is complete; what is wrong in it is not kept, the rest of it is."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from applications import rules
from ecare import french

CELLS = {"date": "Date", "supplier": "Fournisseur", "label": "Libellé", "amount": "Montant (€)"}
MOST_LINES = 200
BLANK = dict.fromkeys(CELLS, "")


class ExpensesWidget(forms.Widget):
    """A line for each expense and one to fill; buttons that post the form, or a module, add and take away lines."""

    template_name = "applications/widgets/expenses.html"
    use_fieldset = True
    first_day: date | None = None
    field_cells: dict[str, Any] = {}

    def __init__(self, attrs=None):
        super().__init__(attrs)
        self.faults: dict[int, dict[str, str]] = {}

    def value_from_datadict(self, data, files, name):
        """The lines as typed, in the order of the page; without empty ones, and the one that a button takes away."""
        cell = re.compile(rf"{re.escape(name)}:([0-9]{{1,4}}):({'|'.join(CELLS)})")
        lines: dict[int, dict[str, str]] = {}
        for posted in data:
            if found := cell.fullmatch(posted):
                lines.setdefault(int(found[1]), dict(BLANK))[found[2]] = data[posted].strip()
        removed = data.get(f"{name}:remove", "")
        return [line for rank, line in sorted(lines.items()) if str(rank) != removed and any(line.values())]

    def value_omitted_from_data(self, data, files, name):
        return f"{name}:lines" not in data

    def get_context(self, name, value, attrs):
        context = super().get_context(name, value, attrs)
        lines = list(value or [])
        today = timezone.localdate()
        context["widget"] |= {
            "lines": [self._line(rank, line, context["widget"]) for rank, line in enumerate([*lines, BLANK])],
            "most": MOST_LINES,
            "total": french.euros(rules.total_of(self._amounts(lines))),
            "first_day": self.first_day.isoformat() if self.first_day else "",
            "today": today.isoformat(),
        }
        return context

    def _line(self, rank: int, line: dict, widget: dict) -> dict:
        faults = self.faults.get(rank, {})
        return {
            "rank": rank,
            "is_wrong": bool(faults),
            "missing": [CELLS[name].lower() for name in CELLS if any(line.values()) and not line[name]],
            "cells": [
                {
                    "key": name,
                    "name": f"{widget['name']}:{rank}:{name}",
                    "id": f"{widget['attrs']['id']}_{rank}_{name}",
                    "label": label,
                    "value": line[name],
                    "fault": faults.get(name, ""),
                }
                for name, label in CELLS.items()
            ],
        }

    def _amounts(self, lines: list[dict]) -> list[dict]:
        found = []
        for line in lines:
            try:
                found.append({"amount": self.field_cells["amount"].clean(line["amount"])})
            except ValidationError:
                continue
        return found


class ExpensesField(forms.Field):
    """Lines of {"date", "supplier", "label", "amount"}. `cells`: the field of each, in the order of CELLS."""

    widget = ExpensesWidget
    shows_stored = False  # what is stored, although something was typed

    def __init__(self, *, cells: dict[str, Any], first_day: date | None = None, **options):
        super().__init__(required=False, template_name="applications/expenses_field.html", **options)
        self.cells = self.widget.field_cells = cells
        self.first_day = self.widget.first_day = first_day
        self.kept: list[dict] | None = None

    @property
    def rule(self) -> str:
        """What is asked of each line, for the hint."""
        first = f"Dates acceptées : du {french.paris_date(self.first_day)} à aujourd’hui. " if self.first_day else ""
        return f"{first}{MOST_LINES} lignes au plus."

    def clean(self, value):
        """Every line. `kept` are the same lines without what is wrong in them: what a draft may keep nonetheless."""
        lines = value or []
        self.kept, self.widget.faults = None, {}
        if len(lines) > MOST_LINES:
            raise ValidationError(
                f"{MOST_LINES} lignes au plus : il y en a {len(lines)}. Regroupez des dépenses de même nature.",
                code="many",
            )
        checked = [self._checked(line) for line in lines]
        kept = [line for line, _ in checked]
        self.widget.faults = {rank: faults for rank, (_, faults) in enumerate(checked) if faults}
        if self.widget.faults:
            self.kept = kept
            raise ValidationError([error for rank in self.widget.faults for error in self._errors(rank)])
        return kept

    def _errors(self, rank: int) -> list[ValidationError]:
        return [
            ValidationError(
                f"ligne {rank + 1} : {sentence[0].lower()}{sentence[1:]}",
                code="line",
                params={"cell": f"{rank}_{name}"},
            )
            for name, sentence in self.widget.faults[rank].items()
        ]

    def _checked(self, typed: dict[str, str]) -> tuple[dict, dict[str, str]]:
        """The line with its good cells, and the sentences about its wrong ones."""
        line, faults = {}, {}
        for name, cell in self.cells.items():
            try:
                line[name] = cell.clean(typed[name])
                self._check(name, line[name], typed[name])
            except ValidationError as refused:
                line[name] = cell.clean("")
                faults[name] = refused.messages[0]
        return line, faults

    def _check(self, name: str, value, typed: str) -> None:
        if name == "date" and value:
            day, today = date.fromisoformat(value), timezone.localdate()
            if self.first_day and day < self.first_day:
                raise ValidationError(
                    f"La dépense du {french.paris_date(day)} est antérieure au {french.paris_date(self.first_day)}, "
                    "date d’ouverture du domaine : seules les dépenses engagées à partir de ce jour sont retenues."
                )
            if day > today:
                raise ValidationError(
                    f"La date du {french.paris_date(day)} est à venir, nous sommes le {french.paris_date(today)} : "
                    "une dépense se déclare une fois engagée."
                )

    def typed(self, value):
        """What the person would type to get the stored lines."""
        return [{name: cell.typed(line[name]) or "" for name, cell in self.cells.items()} for line in value or []]

    def bound_data(self, data, initial):
        return initial if self.shows_stored else super().bound_data(data, initial)

    def has_changed(self, initial, data):
        return bool(data)


@dataclass(frozen=True)
class Expense:
    """A line as it is read; an empty text is a cell still to be filled."""

    date: str
    supplier: str
    label: str
    amount: str


@dataclass(frozen=True)
class Expenses:
    lines: list[Expense]
    total: str


def read(value: list[dict] | None) -> Expenses:
    """The stored lines as they are read."""
    lines = [
        Expense(
            french.paris_date(date.fromisoformat(line["date"])) if line["date"] else "",
            line["supplier"],
            line["label"],
            french.euros(line["amount"]),
        )
        for line in value or []
    ]
    return Expenses(lines, french.euros(rules.total_of(value or [])))


def spoken_expenses(value: list[dict]) -> str:
    """All lines as plain text, one a line, and their total."""
    expenses = read(value)
    lines = [" – ".join(filter(None, [one.date, one.supplier, one.label, one.amount])) for one in expenses.lines]
    return "\n".join([*lines, f"Total : {expenses.total}"])


def summed_up(value: list[dict]) -> str:
    """« 3 dépenses, total 12 000 € »."""
    expenses = read(value)
    return f"{len(expenses.lines)} dépense{'s' if len(expenses.lines) > 1 else ''}, total {expenses.total}"
