"""A small folder in the published layouts, to alter and import again."""

from pathlib import Path

import pytest
from django.db import connection

from establishments.actions import import_directory
from establishments.readers import LEGAL_ENTITY_LAYOUT, SITE_LAYOUT, read_folder
from tests.factories import finess

MEASURES_LIKENESS = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite measures no likeness of words")
STAMP = "finess;etalab;95;2026-11-01"
CHU, LUNEL, GARAZI, CLINIC = finess("34", 1), finess("34", 2), finess("64", 3), finess("34", 4)


class Folder:
    """`entities` and `sites` by FINESS, `members` of groups, `activities`; `write` puts them into files."""

    def __init__(self, path: Path):
        self.path = path
        self.regions = [["76", "Occitanie", "ARS Occitanie"], ["75", "Nouvelle-Aquitaine", "ARS Nouvelle-Aquitaine"]]
        self.departments = [["34", "Hérault", "76"], ["64", "Pyrénées-Atlantiques", "75"]]
        self.entities: dict[str, dict] = {}
        self.sites: dict[str, dict] = {}
        self.members: list[list[str]] = []
        self.activities: list[list[str]] = []

    def entity(self, number: str, name: str, *, status: str = "13", town: str = "34000 MONTPELLIER", **fields):
        """A legal entity and one hospital site of it."""
        department = town[:2]
        common = {"rs": name, "ligneacheminement": town, "departement": department, "commune": "000"}
        self.entities[number] = common | {"statutjuridique": status, "datecrea": "1980-01-01"} | fields
        site = finess(department, 500_000 + len(self.sites))
        self.sites[site] = common | {"nofinessej": number, "categetab": "355", "categagretab": "1102"}
        return site

    def member(self, number: str, *, code: str = "OCC-04", name: str = "EST HÉRAULT", region: str = "76", support=""):
        self.members.append([code, name, region, "ARS Occitanie", number, "NOM", support])

    def write(self, *, without: tuple[str, ...] = ()):
        self._table("regions.csv", "code_region;region;ars", self.regions)
        self._table("departements.csv", "code_departement;departement;code_region", self.departments)
        self._extract("etalab-cs1100501-stock-20261101.csv", LEGAL_ENTITY_LAYOUT, "structureej", self.entities)
        self._extract("etalab-cs1100502-stock-20261101.csv", SITE_LAYOUT, "structureet", self.sites)
        header = "GHT_CODE;GHT_LIB;ARS_CODE;ARS_LIB;ES_FINESS;ES_LIB;GHT_SUPPORT"
        self._table("liste-ght-2026.csv", header, self.members)
        self._table("activite-ej-2025.csv", "finess_ej;annee;activite_combinee", self.activities)
        for pattern in without:
            for path in self.path.glob(pattern):
                path.unlink()

    def run(self, **options):
        self.write()
        return import_directory(read_folder(self.path), **options)

    def append(self, pattern: str, *lines: str):
        """Lines as they stand, right or wrong, at the end of a written file."""
        [path] = self.path.glob(pattern)
        encoding = "latin-1" if pattern.startswith("etalab") else "utf-8"
        path.write_bytes(path.read_bytes() + "".join(f"{line}\n" for line in lines).encode(encoding))

    def _extract(self, name: str, layout: list[str], section: str, structures: dict[str, dict]):
        lines = [STAMP]
        for number, fields in structures.items():
            lines.append(";".join([section, number, *(fields.get(field, "") for field in layout[2:])]))
        (self.path / name).write_text("\n".join(lines) + "\n", encoding="latin-1")

    def _table(self, name: str, header: str, rows: list[list[str]]):
        lines = [header, *(";".join(row) for row in rows)]
        (self.path / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture
def folder(tmp_path):
    """A group of two hospitals, a public hospital outside any group, a private one."""
    path = tmp_path / "finess"
    path.mkdir()
    folder = Folder(path)
    folder.entity(CHU, "CHU MONTPELLIER")
    folder.entity(LUNEL, "CH LUNEL", town="34403 LUNEL CEDEX")
    folder.entity(GARAZI, "EPS GARAZI", town="64220 ST JEAN PIED DE PORT")
    folder.entity(CLINIC, "CLINIQUE SAINTE-THÉRÈSE", status="73", town="34200 SETE")
    folder.member(CHU, support="O")
    folder.member(LUNEL)
    folder.activities += [[CHU, "2025", "812345"], [LUNEL, "2025", "41000"]]
    return folder
