"""A table of figures: what a chart draws, what is read beside it, and what a CSV file holds are the same cells."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import zip_longest

from ecare.french import NBSP, euros, thousands
from steering.rules import ROUNDED_TO

NOTHING = "–"
UNDER = f"<{NBSP}{ROUNDED_TO}"


class Unit(StrEnum):
    TEXT = "text"
    COUNT = "count"
    ROUNDED = "rounded"  # a published count: 0 may stand for a few
    EUROS = "euros"  # in cents
    PERCENT = "percent"
    DAYS = "days"


@dataclass(frozen=True)
class Column:
    label: str
    unit: Unit = Unit.COUNT

    def say(self, value) -> str:
        """As it is read on the page."""
        if value is None:
            return NOTHING
        if self.unit == Unit.ROUNDED:
            return thousands(value) if value else UNDER
        if self.unit == Unit.EUROS:
            return euros(value)
        if self.unit == Unit.PERCENT:
            return f"{_decimal(value)}{NBSP}%"
        if self.unit == Unit.DAYS:
            return _decimal(value)
        return thousands(value) if self.unit == Unit.COUNT else str(value)

    def write(self, value) -> str:
        """As a spreadsheet reads it: no unit, no space in a number."""
        if value is None or self.unit == Unit.TEXT:
            return "" if value is None else self.say(value)
        if self.unit == Unit.ROUNDED:
            return str(value) if value else UNDER
        if self.unit == Unit.EUROS:
            return f"{value / 100:.2f}".replace(".", ",")
        return str(value) if self.unit == Unit.COUNT else _decimal(value)


def _decimal(value: float) -> str:
    """12,3: one decimal, none where it is a zero; a few hours are not « 0 »."""
    text = f"{value:.1f}"
    if value and text == "0.0":
        return "<" + NBSP + "0,1"
    return text.removesuffix(".0").replace(".", ",")


@dataclass(frozen=True)
class Row:
    """`href`: where its first cell leads, `hrefs`: where each of the others does; `is_current`: what the page is
    narrowed to."""

    values: Sequence
    href: str = ""
    hrefs: tuple[str, ...] = ()
    is_current: bool = False
    is_total: bool = False


@dataclass(frozen=True)
class Cell:
    text: str
    label: str
    is_text: bool
    href: str


@dataclass
class Table:
    """`name`: of its file and of its place on the page. A chart draws the rows that are no totals."""

    name: str
    caption: str
    columns: list[Column]
    rows: list[Row]
    note: str = ""
    empty: str = "Aucun chiffre."
    charts: list = field(default_factory=list)
    folds: bool = False
    """Read on demand below its chart, which says the same."""

    @property
    def parts(self) -> list[Row]:
        return [row for row in self.rows if not row.is_total]

    def lines(self) -> Iterator[tuple[Row, Cell, list[Cell]]]:
        """Each row with its first cell, which names it, and the others."""
        for row in self.rows:
            cells = [
                Cell(column.say(value), column.label, column.unit == Unit.TEXT, href)
                for column, value, href in zip_longest(self.columns, row.values, (row.href, *row.hrefs), fillvalue="")
            ]
            yield row, cells[0], cells[1:]

    def records(self) -> Iterator[list[str]]:
        """For a file: the labels, then each row."""
        yield [column.label for column in self.columns]
        for row in self.rows:
            yield [column.write(value) for column, value in zip(self.columns, row.values, strict=True)]
