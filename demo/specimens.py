"""Small, valid files of every format that an evidence space takes: for the demo, and for the tests."""

import io
import zipfile
from collections.abc import Callable
from functools import partial

from demo.ole import doc_bytes, zed_bytes

WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'


def pdf(
    size: int = 0, *, line: str = "Exemple", version: str = "1.7", before: bytes = b"", after: bytes = b""
) -> bytes:
    """One A4 page with one line of Latin-1 text; filled up to exactly `size` bytes by a comment."""
    text = line.encode("latin-1", "replace").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
    stream = b"BT /F1 14 Tf 60 760 Td (" + text + b") Tj ET"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources 6 0 R >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Font << /F1 5 0 R >> >>",
    ]
    out, offsets = before + b"%%PDF-%s\n%%\xe2\xe3\xcf\xd3\n" % version.encode(), []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"xref\n0 7\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    trailer = b"trailer << /Size 7 /Root 1 0 R >>\nstartxref\n%09d\n%%%%EOF\n"
    missing = size - len(out + table + trailer % 0 + after)
    out += b"%" + b"x" * (missing - 2) + b"\n" if missing > 1 else b""
    return out + table + trailer % len(out) + after


def archive(entries: dict[str, bytes], *, method: int = zipfile.ZIP_DEFLATED, comment: bytes = b"") -> bytes:
    """The same bytes for the same entries."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as made:
        for name, data in entries.items():
            made.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), data, method)
        made.comment = comment
    return out.getvalue()


def content_types(types: dict[str, str]) -> bytes:
    """The part of an Office document that tells what the others are."""
    overrides = "".join(f'<Override PartName="/{part}" ContentType="{kind}"/>' for part, kind in types.items())
    return (
        f'{DECLARATION}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{overrides}</Types>'
    ).encode()


def docx(
    extra: dict[str, bytes] | None = None,
    *,
    line: str = "Exemple",
    types: tuple[str, ...] = (WORD,),
    method: int = zipfile.ZIP_DEFLATED,
) -> bytes:
    """A document of one line; `types`: that of its main part, then those of parts that it merely announces."""
    names = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    body = f"<w:document {names}><w:body><w:p><w:r><w:t>{line}</w:t></w:r></w:p></w:body></w:document>"
    return _package("word/document.xml", {"word/document.xml": body}, types, extra, method)


def xlsx(extra: dict[str, bytes] | None = None, *, line: str = "Exemple", types: tuple[str, ...] = (EXCEL,)) -> bytes:
    """A workbook of one sheet, whose first cell says `line`."""
    names = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    cell = f'<row r="1"><c r="A1" t="inlineStr"><is><t>{line}</t></is></c></row>'
    sheets = '<sheets><sheet name="Synthèse" sheetId="1" r:id="rId1"/></sheets>'
    parts = {
        "xl/workbook.xml": f'<workbook {names} xmlns:r="{RELATIONS}">{sheets}</workbook>',
        "xl/worksheets/sheet1.xml": f"<worksheet {names}><sheetData>{cell}</sheetData></worksheet>",
        "xl/_rels/workbook.xml.rels": _relation("worksheet", "worksheets/sheet1.xml"),
    }
    return _package("xl/workbook.xml", parts, types, extra, zipfile.ZIP_DEFLATED, {"xl/worksheets/sheet1.xml": SHEET})


def _relation(kind: str, target: str) -> str:
    names = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'
    relation = f'<Relationship Id="rId1" Type="{RELATIONS}/{kind}" Target="{target}"/>'
    return f"<Relationships {names}>{relation}</Relationships>"


def _package(
    main: str,
    parts: dict[str, str],
    types: tuple[str, ...],
    extra: dict[str, bytes] | None,
    method: int,
    other_types: dict[str, str] | None = None,
) -> bytes:
    """An Office document: the types of its parts, the relation that leads to the main one, the parts."""
    announced = {f"part{rank}": kind for rank, kind in enumerate(types[1:], start=1)}
    own = {"_rels/.rels": _relation("officeDocument", main)} | parts
    return archive(
        {"[Content_Types].xml": content_types({main: types[0]} | (other_types or {}) | announced)}
        | {name: f"{DECLARATION}{text}".encode() for name, text in own.items()}
        | (extra or {}),
        method=method,
    )


def specimen(extension: str, line: str) -> bytes:
    """A valid file of that format that says `line` (a Word 97–2003 document says nothing)."""
    made: dict[str, Callable[[], bytes]] = {
        "pdf": partial(pdf, line=line),
        "docx": partial(docx, line=line),
        "xlsx": partial(xlsx, line=line),
        "doc": doc_bytes,
        "zed": lambda: zed_bytes(content=f"{line} ".encode()),
    }
    return made[extension]()
