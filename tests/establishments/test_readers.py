"""The published files as they come: encodings, ends of lines, names with dates, nomenclatures."""

import pytest

from establishments.readers import UnreadableFile, read_folder
from tests.establishments.conftest import CLINIC


def names(folder):
    return [dict(zip(extract.fields, line.values, strict=True))["name"] for extract in folder for line in extract.lines]


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_both_encodings_and_both_ends_of_lines_are_read(folder, encoding, end):
    folder.write()
    path = folder.path / "etalab-cs1100501-stock-20261101.csv"
    path.write_bytes(path.read_bytes().decode("latin-1").replace("\n", end).encode(encoding))
    extract = read_folder(folder.path).legal_entities
    assert (extract.stamp, names([extract])[-1]) == ("2026-11-01", "CLINIQUE SAINTE-THÉRÈSE")
    assert not any(line.faults or line.refusal for line in extract.lines)


def test_a_control_character_breaks_neither_the_line_nor_the_database(folder):
    folder.entities[CLINIC]["rs"] = "CLINIQUE\x0c \x00A\tB"
    folder.write()
    extract = read_folder(folder.path).legal_entities
    assert len(extract.lines) == 4
    assert extract.lines[-1].values[0] == "CLINIQUE A B"


def test_the_apostrophe_of_windows_is_read(folder):
    folder.write()
    path = folder.path / "etalab-cs1100501-stock-20261101.csv"
    path.write_bytes(path.read_bytes().replace(b"CLINIQUE", b"H\xd4PITAL D\x92ICI"))
    assert names([read_folder(folder.path).legal_entities])[-1].startswith("HÔPITAL D’ICI")


def test_a_quotation_mark_is_a_letter_like_another_in_an_extract(folder):
    folder.entities[CLINIC]["rs"] = 'CLINIQUE "LES PINS'
    folder.write()
    assert names([read_folder(folder.path).legal_entities])[-1] == 'CLINIQUE "LES PINS'


def test_of_several_extracts_the_latest_is_read(folder):
    folder.write()
    older = folder.path / "etalab-cs1100501-stock-20250101.csv"
    older.write_text("finess;etalab;90;2025-01-01\n", encoding="latin-1")
    assert read_folder(folder.path).legal_entities.stamp == "2026-11-01"


def test_a_missing_column_is_named(folder):
    folder.write()
    path = folder.path / "liste-ght-2026.csv"
    path.write_text(path.read_text().replace("GHT_SUPPORT", "SUPPORT"))
    with pytest.raises(UnreadableFile, match=r"liste-ght-2026\.csv : la colonne GHT_SUPPORT manque"):
        read_folder(folder.path)


def test_the_nomenclatures_complete_and_check(folder):
    folder.write()
    statuses = "code;libelle\n13;Etablissement Public Communal\n"
    (folder.path / "nomenclature_statut_juridique.csv").write_text(statuses, newline="\r\n")
    extract = read_folder(folder.path).legal_entities
    labels = [line.values[extract.fields.index("legal_status_label")] for line in extract.lines]
    assert labels == ["Etablissement Public Communal"] * 3 + [""]
    assert extract.lines[-1].faults == ["statut juridique 73 inconnu de la nomenclature"]


@pytest.mark.parametrize("figures", ["2025;", "2025;-3", "2025;1 000", "25;x", "2025;99999999999"])
def test_an_unreadable_activity_is_left_out_and_said(folder, figures):
    folder.write()
    folder.append("activite-*", f"{CLINIC};{figures}")
    [fault] = read_folder(folder.path).activities.lines[-1].faults
    assert fault.startswith("activité illisible")
