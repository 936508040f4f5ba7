"""Lists of dossiers as CSV and as XLSX, written row by row into any stream: memory holds one row.

XLSX is written here and not by xlsxwriter, whose constant memory keeps rows in named files of the temporary folder, in
clear, where they stay when the process is killed: bank accounts and addresses never touch a disk unsealed.
"""

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from xml.sax.saxutils import escape

from ecare.clock import PARIS
from ecare.french import NBSP, paris_datetime
from ecare.spreadsheets import harmless
from exports.columns import Cell, Euros, in_paris


# --- CSV ----------------------------------------------------------------------------------------------------------
def plain(cell: Cell) -> str:
    """As a French spreadsheet reads it: 7000,50 · 21/11/2026 · 21/11/2026 14:05:09, the hour of Paris."""
    if cell is None:
        return ""
    if isinstance(cell, Euros):
        return f"{'-' if cell.cents < 0 else ''}{abs(cell.cents) // 100},{abs(cell.cents) % 100:02d}"
    if isinstance(cell, datetime):
        return in_paris(cell).strftime("%d/%m/%Y %H:%M:%S")
    if isinstance(cell, date):
        return cell.strftime("%d/%m/%Y")
    return harmless(_one_kind_of_line_end(cell)) if isinstance(cell, str) else str(cell)


def _one_kind_of_line_end(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


class CsvSheet:
    """UTF-8 with its mark, semicolons: what a French Excel opens by a double click."""

    def __init__(self, out: io.BufferedIOBase, headings: Sequence[str]):
        out.write(b"\xef\xbb\xbf")
        self._rows = csv.writer(_Encoded(out), delimiter=";")
        self._rows.writerow([harmless(heading) for heading in headings])

    def add(self, cells: Iterable[Cell]) -> None:
        self._rows.writerow([plain(cell) for cell in cells])


class _Encoded:
    def __init__(self, out: io.BufferedIOBase):
        self._out = out

    def write(self, text: str) -> int:
        return self._out.write(text.encode())


# --- XLSX ---------------------------------------------------------------------------------------------------------
MOST_ROWS = 1_048_576  # of a sheet, its headings included
LONGEST_TEXT = 32_767  # of a cell, counted in UTF-16 as Excel does
CUT = " […] (texte coupé)"
MOST_WARNINGS = 1_000
ABOUT = "À propos"  # the last sheet
_TEXT, _HEADING, _DAY, _INSTANT, _EUROS, _NUMBER_STYLE = range(6)
_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 # Excel's day 0; it knows no zone
_FIRST_DAY = date(1900, 3, 1)  # before it Excel's calendar has a day that never was
_MOST_EXACT = 10**15
_NOT_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_STYLES = (
    f'<styleSheet xmlns="{_MAIN}"><numFmts count="3">'
    '<numFmt numFmtId="164" formatCode="dd/mm/yyyy"/><numFmt numFmtId="165" formatCode="dd/mm/yyyy hh:mm:ss"/>'
    f'<numFmt numFmtId="166" formatCode="#,##0.00\\{NBSP}&quot;€&quot;"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="3"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
    '<fill><patternFill patternType="solid"><fgColor rgb="FFE3E3FD"/></patternFill></fill></fills>'
    '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="6">'
    # Text stays text even when somebody edits the cell.
    '<xf numFmtId="49" applyNumberFormat="1" applyAlignment="1"><alignment vertical="top"/></xf>'
    '<xf numFmtId="49" fontId="1" fillId="2" applyNumberFormat="1" applyFont="1" applyFill="1" applyAlignment="1">'
    '<alignment vertical="top" wrapText="1"/></xf>'
    + "".join(
        f'<xf numFmtId="{number}" applyNumberFormat="1" applyAlignment="1"><alignment vertical="top"/></xf>'
        for number in (164, 165, 166, 3)
    )
    + "</cellXfs></styleSheet>"
)


def letters_of(column: int) -> str:
    """A, …, Z, AA, …: of a column counted from 0."""
    found = ""
    while column >= 0:
        column, rest = divmod(column, 26)
        found, column = chr(65 + rest) + found, column - 1
    return found


class Workbook:
    """An XLSX of one list, which goes on in another sheet when one is full; a last sheet says what it is."""

    def __init__(self, out: io.BufferedIOBase, headings: Sequence[str], *, about: Sequence[tuple[str, str]]):
        self._zip = zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=4)
        self._headings, self._about = headings, about
        self._letters = [letters_of(rank) for rank in range(max(len(headings), 2))]
        self._sheets: list[str] = []
        self._warnings: list[tuple[str, str]] = []
        self._unsaid = 0
        self._begin("Dossiers")

    # --- sheets
    def _begin(self, name: str) -> None:
        self._sheets.append(name)
        entry = f"xl/worksheets/sheet{len(self._sheets)}.xml"
        self._entry = self._zip.open(entry, "w", force_zip64=True)
        self._write(
            f'{_XML}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
            '<pane xSplit="1" ySplit="1" topLeftCell="B2" activePane="bottomRight" state="frozen"/>'
            '</sheetView></sheetViews><cols><col min="1" max="16384" width="22" customWidth="1"/></cols><sheetData>'
        )
        heads = self._headings if name != ABOUT else ("Objet", "Valeur")
        self._rank = 1
        said = "".join(self._text(rank, text, _HEADING) for rank, text in enumerate(heads))
        self._write(f'<row r="1">{said}</row>')

    def _end(self) -> None:
        last = self._letters[len(self._headings) - 1]
        filters = f'<autoFilter ref="A1:{last}{self._rank}"/>' if self._sheets[-1] != ABOUT else ""
        self._write(f"</sheetData>{filters}</worksheet>")
        self._entry.close()

    def _write(self, text: str) -> None:
        self._entry.write(text.encode())

    def add(self, cells: Sequence[Cell]) -> None:
        if self._rank == MOST_ROWS:
            self._end()
            self._begin(f"Dossiers ({len(self._sheets) + 1})")
        self._rank += 1
        said = "".join([self._cell(rank, cell) for rank, cell in enumerate(cells) if cell is not None and cell != ""])
        self._write(f'<row r="{self._rank}">{said}</row>')

    # --- cells
    def _cell(self, rank: int, cell: Cell) -> str:
        if isinstance(cell, str):
            return self._text(rank, cell)
        if isinstance(cell, Euros):
            return self._figure(rank, f"{cell.cents / 100:.2f}", _EUROS)
        if isinstance(cell, datetime):
            return self._moment(rank, in_paris(cell), _INSTANT, plain(cell))
        if isinstance(cell, date):
            return self._moment(rank, datetime(cell.year, cell.month, cell.day), _DAY, plain(cell))  # noqa: DTZ001
        if cell is not None and abs(cell) < _MOST_EXACT:
            return self._figure(rank, str(cell), _NUMBER_STYLE)
        return self._text(rank, str(cell))

    def _figure(self, rank: int, figure: str, style: int) -> str:
        return f'<c r="{self._letters[rank]}{self._rank}" s="{style}"><v>{figure}</v></c>'

    def _moment(self, rank: int, moment: datetime, style: int, text: str) -> str:
        """As days since Excel's day 0; as a text where its calendar is not ours."""
        if moment.date() < _FIRST_DAY:
            return self._text(rank, text)
        passed = moment - _EPOCH
        return self._figure(rank, repr(passed.days + passed.seconds / 86_400), style)

    def _text(self, rank: int, text: str, style: int = _TEXT) -> str:
        text = _one_kind_of_line_end(text)
        if len(text) > LONGEST_TEXT // 2:
            text = self._cut(rank, text)
        said = escape(_NOT_XML.sub(lambda found: f"_x{ord(found[0]):04X}_", text))
        place = f"{self._letters[rank]}{self._rank}"
        return f'<c r="{place}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{said}</t></is></c>'

    def _cut(self, rank: int, text: str) -> str:
        """To what a cell holds, with a mark in it and a line in the last sheet."""
        units = text.encode("utf-16-le")
        if len(units) <= 2 * LONGEST_TEXT:
            return text
        place = f"{self._sheets[-1]}, cellule {self._letters[rank]}{self._rank}"
        length = len(units) // 2
        if len(self._warnings) < MOST_WARNINGS:
            said = f"Texte coupé{NBSP}: {length} caractères, une cellule en contient {LONGEST_TEXT}. Voir le CSV."
            self._warnings.append((place, said))
        else:
            self._unsaid += 1
        return units[: 2 * (LONGEST_TEXT - len(CUT))].decode("utf-16-le", "ignore") + CUT

    # --- the end
    def finish(self) -> None:
        """The stream below stays open."""
        self._end()
        self._tell_about()
        names = self._sheets
        parts = {
            "xl/workbook.xml": _workbook(names),
            "xl/_rels/workbook.xml.rels": _relations(
                *((f"{_OFFICE}/worksheet", f"worksheets/sheet{rank}.xml") for rank in range(1, len(names) + 1)),
                (f"{_OFFICE}/styles", "styles.xml"),
            ),
            "xl/styles.xml": _STYLES,
            "_rels/.rels": _relations((f"{_OFFICE}/officeDocument", "xl/workbook.xml")),
            "[Content_Types].xml": _content_types(len(names)),
        }
        for name, text in parts.items():
            self._zip.writestr(name, _XML + text)
        self._zip.close()

    def _tell_about(self) -> None:
        warnings = list(self._warnings)
        if self._unsaid:
            warnings.append(("Autres cellules", f"{self._unsaid} autres textes coupés. Voir le CSV."))
        self._begin(ABOUT)
        for line in [*self._about, *warnings]:
            self.add(line)
        self._end()


def _workbook(names: list[str]) -> str:
    sheets = "".join(
        f'<sheet name="{escape(name)}" sheetId="{rank}" r:id="rId{rank}"/>' for rank, name in enumerate(names, start=1)
    )
    return f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{sheets}</sheets></workbook>'


def _relations(*targets: tuple[str, str]) -> str:
    found = "".join(
        f'<Relationship Id="rId{rank}" Type="{kind}" Target="{path}"/>'
        for rank, (kind, path) in enumerate(targets, start=1)
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{found}</Relationships>'


def _content_types(count: int) -> str:
    kinds = {"workbook.xml": "sheet.main", "styles.xml": "styles"}
    kinds |= {f"worksheets/sheet{rank}.xml": "worksheet" for rank in range(1, count + 1)}
    overrides = "".join(
        f'<Override PartName="/xl/{name}" ContentType="{_TYPE}.{kind}+xml"/>' for name, kind in kinds.items()
    )
    relations = '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    return (
        f'<Types xmlns="{_PACKAGE}/content-types">{relations}'
        f'<Default Extension="xml" ContentType="application/xml"/>{overrides}</Types>'
    )


def told(label: str, asked_by: str, at: datetime, count: int) -> list[tuple[str, str]]:
    """What the last sheet says first."""
    return [
        ("Vue", label),
        ("Demandé par", asked_by),
        ("Établi le", f"{paris_datetime(at)} (heure de {PARIS.key.rpartition('/')[2]})"),
        ("Dossiers", str(count)),
    ]
