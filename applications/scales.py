"""The scale of a domain as people write it (`fixtures/baremes/*.csv`), read and checked; nothing is written here.

`;` between fields, a header, lines that start with # left out. Each error names its line.
"""

import csv
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from django.core.exceptions import ValidationError

from applications.fields import AmountField, NumberField
from applications.models import Bracket, Domain
from applications.money import faults_of
from establishments.models import Establishment

COLUMNS = ["domaine", "type", "journees_de", "journees_a", "plafond_euros"]


class ScaleError(Exception):
    """A scale that cannot be taken as it is; the message has one line per fault."""


class _Refused(Exception):
    """One line, and why."""


def read_scales(file: Path) -> dict[str, list[Bracket]]:
    """Unsaved brackets by slug of their domain. Raises ScaleError with every fault of the file."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ScaleError(f"{file} : le fichier ne se lit pas ({error.strerror}).") from None
    return read_scales_in(content, name=file.name)


def read_scales_in(content: bytes, *, name: str) -> dict[str, list[Bracket]]:
    """The same, of a file that was sent. Raises ScaleError."""
    faults: list[tuple[int, str]] = []
    found: dict[str, list[Bracket]] = {}
    places: dict[int, int] = {}
    for number, values in _lines(content, name):
        try:
            slug, bracket = _bracket(values)
        except _Refused as refused:
            faults.append((number, str(refused)))
            continue
        found.setdefault(slug, []).append(bracket)
        places[id(bracket)] = number
    if not faults:  # a line left out would make its neighbours wrong
        faults = [
            (places[id(bracket)], message) for brackets in found.values() for bracket, message in _faults_of(brackets)
        ]
    if faults:
        raise ScaleError("\n".join(f"{name}, ligne {number} : {message}" for number, message in sorted(faults)))
    if not found:
        raise ScaleError(f"{name} : aucune tranche.")
    return found


def missing_kinds(domain: Domain, brackets: list[Bracket]) -> list[str]:
    """The kinds that the domain is open to and that the scale forgot."""
    given = {bracket.kind for bracket in brackets}
    return [Establishment.Kind(kind).label for kind in domain.kinds if kind not in given]


def _lines(content: bytes, name: str) -> Iterator[tuple[int, list[str]]]:
    """Line number and fields; a spreadsheet saves in UTF-8 or in Windows' own signs."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    rows = csv.reader(text.splitlines(), delimiter=";")
    lines = [(rows.line_num, [value.strip() for value in row]) for row in rows]
    lines = [(number, row) for number, row in lines if any(row) and not row[0].startswith("#")]
    if not lines or [name.lower() for name in lines[0][1]] != COLUMNS:
        raise ScaleError(f"{name} : l’en-tête attendu est « {';'.join(COLUMNS)} ».")
    yield from lines[1:]


def _bracket(values: list[str]) -> tuple[str, Bracket]:
    if len(values) != len(COLUMNS):
        raise _Refused(f"{len(values)} champs au lieu de {len(COLUMNS)}.")
    slug, kind, days_from, days_until, euros = values
    if not slug:
        raise _Refused("le domaine manque.")
    if kind not in Establishment.Kind.values:
        raise _Refused(f"type « {kind} » inconnu ; connus : {', '.join(Establishment.Kind.values)}.")
    first = _typed(NumberField(), "journees_de", days_from)
    ceiling = _typed(AmountField(), "plafond_euros", euros)
    if first is None or ceiling is None:
        raise _Refused(f"« {'journees_de' if first is None else 'plafond_euros'} » est vide.")
    until = _typed(NumberField(), "journees_a", days_until)
    return slug, Bracket(kind=kind, days_from=first, days_until=until, ceiling=ceiling)


def _typed(field, name: str, text: str) -> int | None:
    try:
        return field.clean(text)
    except ValidationError as error:
        raise _Refused(f"« {name} », « {text} » : {error.messages[0]}") from None


def _faults_of(brackets: list[Bracket]) -> Iterator[tuple[Bracket, str]]:
    for _, of_kind in groupby(sorted(brackets, key=lambda one: one.kind), key=lambda one: one.kind):
        yield from faults_of(list(of_kind))
