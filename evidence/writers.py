"""The documents that an establishment fills in, made from readable definitions: the same bytes for the same text."""

import io
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from xml.sax.saxutils import escape

import xlsxwriter
import yaml

MADE_ON = datetime(2026, 1, 1)  # noqa: DTZ001 # the same on every machine; an Office document knows no zone
_BLUE, _PALE, _LINE = "#000091", "#E3E3FD", "#929292"


def read_definitions(folder: Path) -> list[dict]:
    """Every definition of a folder: question, title, file, and what the document holds."""
    return [yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.yaml"))]


def made(definition: dict) -> bytes:
    """The document of a definition, in the format that its file name says."""
    return workbook(definition) if definition["file"].endswith(".xlsx") else document(definition)


# --- docx ---------------------------------------------------------------------------------------------------------
_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES = "application/vnd.openxmlformats-officedocument.wordprocessingml"
_PAGE_WIDTH = 14_570  # of A4 laid on its side, less its margins, in twentieths of a point
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'


def document(definition: dict) -> bytes:
    """A Word document of titles, texts, lists and tables to fill in."""
    blocks = "".join(_BLOCKS[kind](value) for block in definition["content"] for kind, value in block.items())
    page = '<w:sectPr><w:pgSz w:w="16838" w:h="11906" w:orient="landscape"/><w:pgMar w:top="1134" w:right="1134" '
    page += 'w:bottom="1134" w:left="1134" w:header="567" w:footer="567" w:gutter="0"/></w:sectPr>'
    parts = {
        "[Content_Types].xml": _content_types(),
        "_rels/.rels": _relations(
            ("officeDocument", f"{_OFFICE}/officeDocument", "word/document.xml"),
            ("core", f"{_PACKAGE}/relationships/metadata/core-properties", "docProps/core.xml"),
        ),
        "docProps/core.xml": _properties(definition["title"]),
        "word/document.xml": f'<w:document xmlns:w="{_WORD}"><w:body>{blocks}{page}</w:body></w:document>',
        "word/_rels/document.xml.rels": _relations(("styles", f"{_OFFICE}/styles", "styles.xml")),
        "word/styles.xml": _styles(),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, text in parts.items():
            package.writestr(zipfile.ZipInfo(name, MADE_ON.timetuple()[:6]), _XML + text, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _content_types() -> str:
    kinds = {
        "word/document.xml": f"{_TYPES}.document.main+xml",
        "word/styles.xml": f"{_TYPES}.styles+xml",
        "docProps/core.xml": "application/vnd.openxmlformats-package.core-properties+xml",
    }
    overrides = "".join(f'<Override PartName="/{name}" ContentType="{kind}"/>' for name, kind in kinds.items())
    relations = '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    return f'<Types xmlns="{_PACKAGE}/content-types">{relations}{overrides}</Types>'


def _relations(*targets: tuple[str, str, str]) -> str:
    found = "".join(f'<Relationship Id="{name}" Type="{kind}" Target="{path}"/>' for name, kind, path in targets)
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{found}</Relationships>'


def _properties(title: str) -> str:
    return (
        f'<cp:coreProperties xmlns:cp="{_PACKAGE}/metadata/core-properties" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<dc:title>{escape(title)}</dc:title><dc:creator>Agence du Numérique en Santé</dc:creator>"
        "<dc:language>fr-FR</dc:language></cp:coreProperties>"
    )


def _styles() -> str:
    font = '<w:rFonts w:ascii="Arial" w:hAnsi="Arial" w:cs="Arial"/>'
    base = f'<w:docDefaults><w:rPrDefault><w:rPr>{font}<w:sz w:val="20"/><w:lang w:val="fr-FR"/></w:rPr></w:rPrDefault>'
    base += '<w:pPrDefault><w:pPr><w:spacing w:after="120"/></w:pPr></w:pPrDefault></w:docDefaults>'
    named = [("Normal", "Normal", "", "", ""), ("Title", "Title", "", "36", "")]
    named += [("Heading1", "heading 1", '<w:spacing w:before="280" w:after="120"/><w:keepNext/>', "26", "0")]
    return f'<w:styles xmlns:w="{_WORD}">{base}{"".join(_style(*one) for one in named)}</w:styles>'


def _style(key: str, name: str, paragraph: str, size: str, level: str) -> str:
    default = ' w:default="1"' if key == "Normal" else ""
    outline = f'<w:outlineLvl w:val="{level}"/>' if level else ""
    # Word insists on the order of these properties: keepNext, spacing, outline level.
    keep, spacing = ("<w:keepNext/>", paragraph.replace("<w:keepNext/>", "")) if paragraph else ("", "")
    look = f'<w:rPr><w:b/><w:color w:val="{_BLUE[1:]}"/><w:sz w:val="{size}"/></w:rPr>' if size else ""
    return (
        f'<w:style w:type="paragraph"{default} w:styleId="{key}"><w:name w:val="{name}"/>'
        f"<w:pPr>{keep}{spacing}{outline}</w:pPr>{look}</w:style>"
    )


def _paragraph(text: str, *, style: str = "", look: str = "") -> str:
    style = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f'<w:p>{style}<w:r>{look}<w:t xml:space="preserve">{escape(text)}</w:t></w:r></w:p>'


def _list(lines: list[str]) -> str:
    indent = '<w:pPr><w:spacing w:after="60"/><w:ind w:left="340" w:hanging="227"/></w:pPr>'
    return "".join(f'<w:p>{indent}<w:r><w:t xml:space="preserve">•  {escape(line)}</w:t></w:r></w:p>' for line in lines)


def _facts(labels: list[str]) -> str:
    widths = [_PAGE_WIDTH * 2 // 5, _PAGE_WIDTH * 3 // 5]
    return _grid(widths, [_row([label, ""], widths, heads=1) for label in labels])


def _table(definition: dict) -> str:
    columns = definition["columns"]
    widths = [_PAGE_WIDTH * column["width"] // 100 for column in columns]
    head = _row([column["title"] for column in columns], widths, heads=len(columns), repeats=True)
    numbered = columns[0]["title"] == "N°"
    rows = [
        _row([str(rank) if numbered else "", *[""] * (len(columns) - 1)], widths)
        for rank in range(1, definition["rows"] + 1)
    ]
    return _grid(widths, [head, *rows])


def _grid(widths: list[int], rows: list[str]) -> str:
    sides = "".join(
        f'<w:{side} w:val="single" w:sz="4" w:color="{_LINE[1:]}"/>'
        for side in ("top", "left", "bottom", "right", "insideH", "insideV")
    )
    look = f'<w:tblPr><w:tblW w:w="{sum(widths)}" w:type="dxa"/><w:tblBorders>{sides}</w:tblBorders>'
    look += '<w:tblLayout w:type="fixed"/></w:tblPr>'
    columns = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
    return f"<w:tbl>{look}<w:tblGrid>{columns}</w:tblGrid>{''.join(rows)}</w:tbl><w:p/>"


def _row(texts: list[str], widths: list[int], *, heads: int = 0, repeats: bool = False) -> str:
    """Its first `heads` cells are headings; a row that repeats stands at the top of each page."""
    cells = []
    for rank, (text, width) in enumerate(zip(texts, widths, strict=True)):
        shade = f'<w:shd w:val="clear" w:color="auto" w:fill="{_PALE[1:]}"/>' if rank < heads else ""
        look = "<w:rPr><w:b/></w:rPr>" if rank < heads else ""
        cells.append(
            f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{shade}</w:tcPr>{_paragraph(text, look=look)}</w:tc>'
        )
    whole = "<w:cantSplit/>" + ("<w:tblHeader/>" if repeats else "")
    return f"<w:tr><w:trPr>{whole}</w:trPr>{''.join(cells)}</w:tr>"


_BLOCKS: dict[str, Callable] = {
    "title": lambda text: _paragraph(text, style="Title"),
    "heading": lambda text: _paragraph(text, style="Heading1"),
    "text": _paragraph,
    "list": _list,
    "facts": _facts,
    "table": _table,
}


# --- xlsx ---------------------------------------------------------------------------------------------------------
_EUROS = "#,##0.00 [$€-40C]"
_DAY = "dd/mm/yyyy"
_COLUMNS = [
    ("N°", 5),
    ("Date de la facture", 14),
    ("Fournisseur", 26),
    ("N° de facture", 16),
    ("Libellé de la dépense", 40),
    ("Objectif", 10),
    ("Nature de la dépense", 26),
    ("Montant hors taxes", 16),
    ("TVA", 14),
    ("Montant toutes taxes", 18),
    ("Date de paiement", 14),
]


def workbook(definition: dict) -> bytes:
    """The financial frame: a sheet of expenses to type in, and a sheet that sums them up and is signed."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"title": definition["title"], "author": "Agence du Numérique en Santé", "created": MADE_ON})
    looks = _Looks(book)
    first, last = _expenses(book, looks, definition)
    _summary(book, looks, definition, first, last)
    book.close()
    return out.getvalue()


class _Looks:
    """The formats of the workbook."""

    def __init__(self, book: xlsxwriter.Workbook):
        cell = {"font_name": "Arial", "font_size": 10, "valign": "vcenter"}
        boxed = cell | {"border": 1, "border_color": _LINE}
        self.plain = book.add_format(cell | {"text_wrap": True, "valign": "top"})
        self.title = book.add_format(cell | {"bold": True, "font_size": 16, "font_color": _BLUE})
        self.head = book.add_format(boxed | {"bold": True, "bg_color": _PALE, "text_wrap": True})
        self.rank = book.add_format(boxed)
        self.text = book.add_format(boxed | {"text_wrap": True})
        self.day = book.add_format(boxed | {"num_format": _DAY})
        self.euros = book.add_format(boxed | {"num_format": _EUROS})
        self.sum = book.add_format(boxed | {"num_format": _EUROS})
        self.total = book.add_format(boxed | {"num_format": _EUROS, "bold": True, "bg_color": _PALE})


def _expenses(book, looks: _Looks, definition: dict) -> tuple[int, int]:
    """The sheet of expenses. Returns its first and last row to type in, as people count them."""
    said = definition["expenses"]
    sheet = book.add_worksheet(said["sheet"])
    sheet.write_string(0, 0, said["title"], looks.title)
    for rank, line in enumerate(said["how"], start=1):
        sheet.write_string(rank, 0, line)
    head = len(said["how"]) + 2
    for column, (title, width) in enumerate(_COLUMNS):
        sheet.set_column(column, column, width)
        sheet.write_string(head, column, title, looks.head)
    first, last = head + 1, head + said["rows"]
    kinds = [looks.rank, looks.day, *[looks.text] * 5, looks.euros, looks.euros, looks.sum, looks.day]
    for row in range(first, last + 1):
        sheet.write_number(row, 0, row - head, looks.rank)
        for column in range(1, len(_COLUMNS)):
            sheet.write_blank(row, column, None, kinds[column])
        sheet.write_formula(row, 9, f"=H{row + 1}+I{row + 1}", looks.sum, 0)
    _check_typed(sheet, definition, first, last)
    sheet.merge_range(last + 1, 0, last + 1, 6, "Total", looks.total)
    for column in (7, 8, 9):
        letter = "ABCDEFGHIJ"[column]
        sheet.write_formula(last + 1, column, f"=SUM({letter}{first + 1}:{letter}{last + 1})", looks.total, 0)
    sheet.freeze_panes(first, 0)
    _on_paper(sheet, head)
    return first + 1, last + 1


def _check_typed(sheet, definition: dict, first: int, last: int) -> None:
    """What the workbook itself refuses: a date before the domain opened, a word outside the lists, no number."""
    opened = definition["expenses_from"]
    too_early = f"Seules comptent les dépenses engagées à partir du {opened:%d/%m/%Y}."
    for column in (1, 10):
        day = {"validate": "date", "criteria": ">=", "value": opened, "error_title": "Date", "error_message": too_early}
        sheet.data_validation(first, column, last, column, day)
    for column, words in ((5, definition["expenses"]["objectives"]), (6, definition["expenses"]["natures"])):
        sheet.data_validation(first, column, last, column, {"validate": "list", "source": words})
    amount = {"validate": "decimal", "criteria": ">=", "value": 0, "error_title": "Montant"}
    sheet.data_validation(first, 7, last, 8, amount | {"error_message": "Un montant en euros est attendu."})


def _summary(book, looks: _Looks, definition: dict, first: int, last: int) -> None:
    """The sheet to sign: one line per nature of expense, one column per objective, then who certifies."""
    said, expenses = definition["summary"], definition["expenses"]
    sheet = book.add_worksheet(said["sheet"])
    sheet.set_column(0, 0, 46)
    sheet.set_column(1, len(expenses["objectives"]) + 1, 22)
    sheet.write_string(0, 0, said["title"], looks.title)
    for rank, label in enumerate(said["facts"], start=2):
        sheet.write_string(rank, 0, label, looks.head)
        sheet.merge_range(rank, 1, rank, 2, "", looks.text)
    head = len(said["facts"]) + 3
    titles = ["Nature de la dépense", *expenses["objectives"], "Total toutes taxes"]
    for column, title in enumerate(titles):
        sheet.write_string(head, column, title, looks.head)
    source = "'" + expenses["sheet"] + "'!"
    natures, objectives, amounts = (f"{source}${letter}${first}:${letter}${last}" for letter in "GFJ")
    for row, nature in enumerate(expenses["natures"], start=head + 1):
        sheet.write_string(row, 0, nature, looks.rank)
        for column in range(1, len(titles) - 1):
            where = f"{natures},$A{row + 1},{objectives},{_letter(column)}${head + 1}"
            sheet.write_formula(row, column, f"=SUMIFS({amounts},{where})", looks.sum, 0)
        sheet.write_formula(row, len(titles) - 1, f"=SUM(B{row + 1}:{_letter(len(titles) - 2)}{row + 1})", looks.sum, 0)
    total = head + 1 + len(expenses["natures"])
    sheet.write_string(total, 0, "Total des frais engagés", looks.total)
    for column in range(1, len(titles)):
        cells = f"{_letter(column)}{head + 2}:{_letter(column)}{total}"
        sheet.write_formula(total, column, f"=SUM({cells})", looks.total, 0)
    _signatures(sheet, looks, said, at=total + 2, width=len(titles))
    _on_paper(sheet, None)


def _signatures(sheet, looks: _Looks, said: dict, *, at: int, width: int) -> None:
    sheet.merge_range(at, 0, at, width - 1, said["statement"], looks.plain)
    sheet.set_row(at, 48)
    for rank, who in enumerate(said["signatures"]):
        row = at + 2 + rank * 5
        sheet.merge_range(row, 0, row, width - 1, who, looks.head)
        for line, label in enumerate(("Nom, prénom et fonction", "Fait à, le", "Signature et cachet"), start=1):
            sheet.write_string(row + line, 0, label, looks.rank)
            sheet.merge_range(row + line, 1, row + line, width - 1, "", looks.text)
        sheet.set_row(row + 3, 60)


def _on_paper(sheet, head: int | None) -> None:
    """A4 on its side, one page wide; the headings at the top of each page."""
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    if head is not None:
        sheet.repeat_rows(head)


def _letter(column: int) -> str:
    return "ABCDEFGHIJ"[column]
