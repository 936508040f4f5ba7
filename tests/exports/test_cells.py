"""How cells are written: formulas that stay texts, dates and amounts, texts that are too long, sheets that are full."""

import csv
import io
import re
import zipfile
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from ecare.spreadsheets import harmless
from exports import sheets
from exports.bundles import Hashed
from exports.columns import Euros
from exports.sheets import CsvSheet, Workbook, letters_of, plain

FORMULAS = [
    "=1+1",
    "=cmd|' /C calc'!A0",
    "+1+cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    " =1+1",
    "\u00a0@x",
    "＝1+1",
    "\u200b=1+1",
    "+33/0",
    "- une puce",
    '=HYPERLINK("http://x","y")',
]
HARMLESS = [
    "+33 4 67 33 67 33",
    "+33467336733",
    "-5",
    "-7 000,50 €",
    "-12,5",
    "CHU = bien",
    "a@b.fr",
    "l’été",
    "007",
    "",
]


def in_csv(*rows):
    out = Hashed(io.BytesIO())
    sheet = CsvSheet(out, ["A", "=B"])
    for row in rows:
        sheet.add(row)
    content = out._out.getvalue()
    assert content.startswith("\ufeff".encode()) and content.count(b"\xef\xbb\xbf") == 1
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=";"))


def written(*rows, headings=("A", "B")) -> bytes:
    out = io.BytesIO()
    book = Workbook(Hashed(out), headings, about=[("Vue", "essai")])
    for row in rows:
        book.add(row)
    book.finish()
    return out.getvalue()


def read(content: bytes, sheet="Dossiers"):
    return CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_name(sheet).to_python()


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_stays_a_text(text):
    assert harmless(text) == f"'{text}"
    [_, [cell, _]] = in_csv([text, None])
    assert cell[0] == "'"
    content = written([text, None])
    assert read(content)[1][0] == text.replace("\r", "\n")
    sheet = zipfile.ZipFile(io.BytesIO(content)).read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet and "<hyperlink" not in sheet


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_formula_is_left_as_it_is(text):
    assert harmless(text) == text


def test_a_heading_is_no_formula_either():
    assert in_csv()[0] == ["A", "'=B"]


def test_a_csv_says_days_hours_and_amounts_as_a_french_spreadsheet_reads_them():
    assert plain(Euros(700_050)) == "7000,50"
    assert (plain(Euros(0)), plain(Euros(5)), plain(Euros(-150))) == ("0,00", "0,05", "-1,50")
    assert plain(date(2026, 11, 2)) == "02/11/2026"
    assert plain(datetime(2026, 7, 1, 22, 30, 15, tzinfo=UTC)) == "02/07/2026 00:30:15"
    assert (plain(1250), plain(None), plain(0)) == ("1250", "", "0")


def test_separators_quotes_and_line_ends_stay_in_their_cell():
    rows = [['a;b"c', "deux\r\nlignes\rtrois"], ["é;", '"']]
    assert in_csv(*rows)[1:] == [['a;b"c', "deux\nlignes\ntrois"], ["é;", '"']]


def test_an_xlsx_keeps_the_nature_of_each_cell():
    row = ["010000024", 1250, Euros(700_050), date(2024, 2, 29), datetime(2026, 1, 1, 9, 0, 1, tzinfo=UTC), None, "fin"]
    [_, cells] = read(written(row, headings=list("ABCDEFG")))
    assert cells[:4] == ["010000024", 1250.0, 7000.5, date(2024, 2, 29)]
    assert abs((cells[4] - datetime(2026, 1, 1, 10, 0, 1)).total_seconds()) < 0.01
    assert cells[5:] == ["", "fin"]
    sheet = zipfile.ZipFile(io.BytesIO(written(row, headings=list("ABCDEFG"))))
    assert '"€"' in sheet.read("xl/styles.xml").decode().replace("&quot;", '"')


def test_what_excel_cannot_hold_is_a_text():
    assert read(written([date(1899, 5, 1), 10**16]))[1] == ["01/05/1899", "10000000000000000"]


@given(st.text(max_size=60))
def test_any_text_comes_back(text):
    """Whatever the library reads back of `_x0001_` is compared with the control character itself."""
    expected = text.replace("\r\n", "\n").replace("\r", "\n")
    [_, cells] = read(written([text or "vide", "z"]))
    assert decoded(cells[0]) == (expected or "vide")


def decoded(cell: str) -> str:
    return re.sub(r"_x([0-9A-F]{4})_", lambda found: chr(int(found[1], 16)), cell)


def test_a_text_that_is_too_long_is_cut_marked_and_told():
    whole, long, wide = "a" * 32_767, "b" * 32_768, "😀" * 20_000
    content = written([whole, long], [wide, "fin"])
    rows = read(content)
    assert rows[1][0] == whole
    assert rows[1][1].endswith("[…] (texte coupé)") and len(rows[1][1]) == 32_767
    assert rows[2][0].startswith("😀" * 1000) and len(rows[2][0].encode("utf-16-le")) // 2 <= 32_767
    said = read(content, "À propos")
    assert said[0] == ["Objet", "Valeur"] and said[1] == ["Vue", "essai"]
    assert [line[0] for line in said[2:]] == ["Dossiers, cellule B2", "Dossiers, cellule A3"]
    assert "32768 caractères" in said[2][1]


def test_many_cut_texts_are_counted(monkeypatch):
    monkeypatch.setattr(sheets, "MOST_WARNINGS", 2)
    said = read(written(*[["b" * 32_768, None]] * 5), "À propos")
    assert len(said) == 5 and said[-1][1].startswith("3 autres textes coupés")


def test_a_full_sheet_goes_on_in_another(monkeypatch):
    monkeypatch.setattr(sheets, "MOST_ROWS", 3)
    content = written(*[[f"ligne {rank}", rank] for rank in range(5)])
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    assert book.sheet_names == ["Dossiers", "Dossiers (2)", "Dossiers (3)", "À propos"]
    found = [read(content, name) for name in book.sheet_names[:3]]
    assert [rows[0] for rows in found] == [["A", "B"]] * 3
    assert [row[0] for rows in found for row in rows[1:]] == [f"ligne {rank}" for rank in range(5)]


def test_columns_have_the_letters_that_excel_gives_them():
    assert [letters_of(rank) for rank in (0, 25, 26, 51, 52, 701, 702)] == ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]


def test_the_parts_of_the_workbook_are_there_and_whole():
    package = zipfile.ZipFile(io.BytesIO(written(["a", 1])))
    assert package.testzip() is None
    assert set(package.namelist()) == {
        "[Content_Types].xml",
        "_rels/.rels",
        "xl/workbook.xml",
        "xl/_rels/workbook.xml.rels",
        "xl/styles.xml",
        "xl/worksheets/sheet1.xml",
        "xl/worksheets/sheet2.xml",
    }
