"""The published files of the directory, line by line: two FINESS extracts, the GHT list, activity, regions.

A reader says what a line holds and what is wrong with it; it never looks into the database.
`docs/directory.md` describes the layouts.
"""

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

from stdnum.fr import siren, siret

from establishments.actions import Directory, Extract, Line, Progress, quiet
from establishments.models import Department, LegalEntity, Region, Site
from establishments.rules import is_finess

# fmt: off
LEGAL_ENTITY_LAYOUT = [
    "section", "nofiness", "rs", "rslongue", "complrs", "numvoie", "typvoie", "voie", "compvoie", "compldistrib",
    "lieuditbp", "commune", "ligneacheminement", "departement", "libdepartement", "telephone", "statutjuridique",
    "libstatutjuridique", "categetab", "libcategetab", "siren", "codeape", "datecrea",
]
SITE_LAYOUT = [
    "section", "nofinesset", "nofinessej", "rs", "rslongue", "complrs", "compldistrib", "numvoie", "typvoie", "voie",
    "compvoie", "lieuditbp", "commune", "departement", "libdepartement", "ligneacheminement", "telephone",
    "telecopie", "categetab", "libcategetab", "categagretab", "libcategagretab", "siret", "codeape", "codemft",
    "libmft", "codesph", "libsph", "dateouv", "dateautor", "datemaj", "numuai",
]
LEGAL_ENTITY_FIELDS = [
    "name", "address", "postcode", "town", "department_id", "phone", "legal_status", "legal_status_label", "siren",
    "ape", "created_on",
]
SITE_FIELDS = [
    "legal_entity_id", "name", "address", "postcode", "town", "department_id", "category", "category_label",
    "category_aggregate", "siret", "opened_on",
]
# fmt: on
FILES = {
    "regions": "regions.csv",
    "departments": "departements.csv",
    "legal_entities": "etalab-cs1100501-*.csv",
    "sites": "etalab-cs1100502-*.csv",
    "ghts": "liste-ght-*.csv",
    "activities": "activite-ej-*.csv",
}
CATEGORIES, STATUSES = "nomenclature_categorie_etablissement.csv", "nomenclature_statut_juridique.csv"

BAR_STEP = 1000  # lines between two moves of the progress bar
_POSTCODE_TOWN = re.compile(r"([0-9]{5}) (.+)")
Row = dict[str, str]
Parse = Callable[[Row, list[str]], tuple[object, ...]]


class UnreadableFile(Exception):
    """The file as a whole is not what its name promises; nothing of the folder may be imported."""


def read_folder(folder: Path, *, progress: Progress = quiet) -> Directory:
    """Everything that `folder` holds under the published names; an absent file leaves what it describes as it is."""
    paths = {kind: path for kind, pattern in FILES.items() if (path := latest(folder, pattern))}
    if not paths:
        raise UnreadableFile(f"Aucun fichier du répertoire dans {folder} ({', '.join(FILES.values())}).")
    legal_entity = _legal_entity_parser(_nomenclature(folder, STATUSES))
    site = _site_parser(_nomenclature(folder, CATEGORIES))
    readers = {
        "regions": lambda path: _read_table(path, "code_region", ["name", "ars"], _region),
        "departments": lambda path: _read_table(path, "code_departement", ["name", "region_id"], _department),
        "legal_entities": lambda path: _read_extract(
            path, LEGAL_ENTITY_LAYOUT, LEGAL_ENTITY_FIELDS, legal_entity, progress
        ),
        "sites": lambda path: _read_extract(path, SITE_LAYOUT, SITE_FIELDS, site, progress),
        "ghts": lambda path: _read_table(path, "ES_FINESS", ["code", "name", "region_id", "is_support"], _ght_member),
        "activities": lambda path: _read_table(path, "finess_ej", ["year", "days"], _activity),
    }
    return Directory(**{kind: readers[kind](path) for kind, path in paths.items()})


def latest(folder: Path, pattern: str) -> Path | None:
    """The last by name: the published names end with their date."""
    return max(folder.glob(pattern), default=None)


# --- the two FINESS extracts: no header, one stamp, then one structure a line ------------------------------------
def _read_extract(path: Path, layout: list[str], fields: list[str], parse: Parse, progress: Progress) -> Extract:
    # Not splitlines(): it would also cut at form feeds and other rare signs inside a field.
    raw = [line.rstrip("\r") for line in _text(path).split("\n")]
    stamp = raw[0].split(";")
    if stamp[:2] != ["finess", "etalab"]:
        raise UnreadableFile(f"{path.name} : la première ligne n’est pas celle d’un extrait FINESS (finess;etalab;…).")
    extract = Extract(path.name, fields, stamp=stamp[-1])
    structures = [(number, line) for number, line in enumerate(raw[1:], start=2) if line]
    with progress(f"Lecture de {path.name}", len(structures)) as bar:
        for start in range(0, len(structures), BAR_STEP):
            some = structures[start : start + BAR_STEP]
            extract.lines += [_extract_line(number, line.split(";"), layout, parse) for number, line in some]
            bar.update(len(some))
    return extract


def _extract_line(number: int, values: list[str], layout: list[str], parse: Parse) -> Line:
    key = values[1] if len(values) > 1 else ""
    if len(values) != len(layout):
        refusal = f"{len(values)} champs au lieu de {len(layout)}"
        return Line(number, key if is_finess(key) else "", refusal=refusal)
    if not is_finess(key):
        return Line(number, "", refusal=f"clé FINESS fausse : {key}")
    row: Row = dict(zip(layout, values, strict=True))
    faults: list[str] = []
    return Line(number, key, parse(row, faults), faults)


def _legal_entity_parser(statuses: dict[str, Row]) -> Parse:
    limits = _limits(LegalEntity)

    def parse(row: Row, faults: list[str]) -> tuple[object, ...]:
        status = row["statutjuridique"]
        if status and statuses and status not in statuses:
            faults.append(f"statut juridique {status} inconnu de la nomenclature")
        _check(siren.is_valid, "SIREN", row["siren"], faults)
        return _fit(
            {
                **_place(row, faults),
                "phone": row["telephone"],
                "legal_status": status,
                "legal_status_label": row["libstatutjuridique"] or statuses.get(status, {}).get("libelle", ""),
                "siren": row["siren"],
                "ape": row["codeape"],
                "created_on": _day(row["datecrea"], "date de création", faults),
            },
            limits,
            faults,
        )

    return parse


def _site_parser(categories: dict[str, Row]) -> Parse:
    limits = _limits(Site)

    def parse(row: Row, faults: list[str]) -> tuple[object, ...]:
        category = categories.get(row["categetab"], {})
        if categories and not category:
            faults.append(f"catégorie {row['categetab']} inconnue de la nomenclature")
        _check(siret.is_valid, "SIRET", row["siret"], faults)
        return _fit(
            {
                "legal_entity_id": row["nofinessej"],
                **_place(row, faults),
                "category": row["categetab"],
                "category_label": row["libcategetab"] or category.get("libelle", ""),
                "category_aggregate": row["categagretab"] or category.get("codeagr3", ""),
                "siret": row["siret"],
                "opened_on": _day(row["dateouv"], "date d’ouverture", faults),
            },
            limits,
            faults,
        )

    return parse


def _place(row: Row, faults: list[str]) -> Row:
    """Name and address, as both layouts spell them."""
    postcode, town = "", row["ligneacheminement"]
    if match := _POSTCODE_TOWN.fullmatch(town):
        postcode, town = match.groups()
    else:
        faults.append(f"ligne d’acheminement sans code postal : {town}")
    street = ("numvoie", "compvoie", "typvoie", "voie", "compldistrib", "lieuditbp")
    name = _one_spaced(row["rslongue"] or row["rs"])
    if not name:
        faults.append("raison sociale absente")
    return {
        "name": name or "RAISON SOCIALE INCONNUE",
        "address": _one_spaced(" ".join(row[part] for part in street)),
        "postcode": postcode,
        "town": _one_spaced(town),
        "department_id": row["departement"],
    }


# --- the other files: a header, then one thing a line ---------------------------------------------------------------
def _read_table(path: Path, key: str, fields: list[str], parse: Parse) -> Extract:
    extract = Extract(path.name, fields)
    for number, row in _rows(path, needs=[key]):
        if row is None:
            extract.lines.append(Line(number, "", refusal="nombre de champs différent de celui de l’en-tête"))
        elif "finess" in key.lower() and not is_finess(row[key]):
            extract.lines.append(Line(number, "", refusal=f"clé FINESS fausse : {row[key]}"))
        else:
            faults: list[str] = []
            try:
                values = parse(row, faults)
            except KeyError as absent:
                raise UnreadableFile(f"{path.name} : la colonne {absent.args[0]} manque.") from absent
            extract.lines.append(Line(number, row[key], values, faults))
    return extract


def _region(row: Row, faults: list[str]) -> tuple[object, ...]:
    return _fit({"name": row["region"], "ars": row["ars"]}, _limits(Region), faults)


def _department(row: Row, faults: list[str]) -> tuple[object, ...]:
    return _fit({"name": row["departement"], "region_id": row["code_region"]}, _limits(Department), faults)


def _ght_member(row: Row, faults: list[str]) -> tuple[object, ...]:
    return row["GHT_CODE"], _one_spaced(row["GHT_LIB"]), row["ARS_CODE"], row["GHT_SUPPORT"].strip().upper() == "O"


def _activity(row: Row, faults: list[str]) -> tuple[object, ...]:
    figures = [row["annee"], row["activite_combinee"]]
    if all(re.fullmatch(r"[0-9]{1,9}", figure) for figure in figures):
        return tuple(int(figure) for figure in figures)
    faults.append(f"activité illisible, laissée de côté : {' ; '.join(figures)}")
    return None, None


# --- what both kinds need -------------------------------------------------------------------------------------------
def _text(path: Path) -> str:
    """UTF-8 if it can be, else Latin-1 with Windows’ signs: the publisher uses both. PostgreSQL stores no NUL."""
    content = path.read_bytes().replace(b"\0", b" ")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _rows(path: Path, *, needs: list[str]) -> Iterator[tuple[int, Row | None]]:
    """Line number and fields by column name; None for a line that has more or fewer fields than the header."""
    lines = csv.reader(StringIO(_text(path), newline=""), delimiter=";")
    header = next(lines, [])
    for column in needs:
        if column not in header:
            raise UnreadableFile(f"{path.name} : la colonne {column} manque.")
    for values in lines:
        if values:
            complete = len(values) == len(header)
            yield lines.line_num, dict(zip(header, values, strict=True)) if complete else None


def _nomenclature(folder: Path, name: str) -> dict[str, Row]:
    path = latest(folder, name)
    return {row["code"]: row for _, row in _rows(path, needs=["code"]) if row} if path else {}


def _limits(model) -> dict[str, int]:
    return {field.attname: field.max_length for field in model._meta.concrete_fields if field.max_length}


def _fit(values: Mapping[str, Any], limits: dict[str, int], faults: list[str]) -> tuple[object, ...]:
    """The values in their order, cut to what the column holds."""
    fitted = dict(values)
    for field, value in values.items():
        limit = limits.get(field)
        if limit and value and len(value) > limit:
            faults.append(f"valeur trop longue, coupée à {limit} caractères : {value}")
            fitted[field] = value[:limit]
    return tuple(fitted.values())


def _check(is_valid: Callable[[str], bool], label: str, number: str, faults: list[str]) -> None:
    if number and not is_valid(number):
        faults.append(f"{label} faux : {number}")


def _day(text: str, label: str, faults: list[str]) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        faults.append(f"{label} illisible : {text}")
        return None


def _one_spaced(text: str) -> str:
    return " ".join(text.split())
