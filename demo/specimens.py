"""Small, valid files of every format that an evidence space takes: for the demo, and for the tests."""

import io
import zipfile

from demo.ole import zed_bytes

WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml"
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'


def pdf_bytes(line: str) -> bytes:
    """One A4 page with one line of Latin-1 text."""
    text = line.encode("latin-1", "replace").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
    stream = b"BT /F1 14 Tf 60 760 Td (" + text + b") Tj ET"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources 6 0 R >>",
        b"<< /Length " + str(len(stream)).encode() + b" >>\nstream\n" + stream + b"\nendstream",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Font << /F1 5 0 R >> >>",
    ]
    out, offsets = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += str(number).encode() + b" 0 obj\n" + body + b"\nendobj\n"
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    trailer = b"trailer << /Size 7 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(out)
    return out + b"xref\n0 7\n0000000000 65535 f \n" + table + trailer


def docx_bytes(line: str) -> bytes:
    body = f"<w:body><w:p><w:r><w:t>{line}</w:t></w:r></w:p></w:body>"
    names = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    return _package("word/document.xml", f"{WORD}.document.main+xml", f"<w:document {names}>{body}</w:document>")


def xlsx_bytes(line: str) -> bytes:
    names = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    cell = f'<row r="1"><c r="A1" t="inlineStr"><is><t>{line}</t></is></c></row>'
    sheet = f"{DECLARATION}<worksheet {names}><sheetData>{cell}</sheetData></worksheet>"
    relations = OFFICE.rpartition("/")[0]
    book = (
        f'<workbook {names} xmlns:r="{relations}"><sheets>'
        '<sheet name="Synthèse" sheetId="1" r:id="rId1"/></sheets></workbook>'
    )
    return _package(
        "xl/workbook.xml",
        f"{EXCEL}.sheet.main+xml",
        book,
        {
            "xl/worksheets/sheet1.xml": (f"{EXCEL}.worksheet+xml", sheet),
            "xl/_rels/workbook.xml.rels": ("", _relation("rId1", f"{relations}/worksheet", "worksheets/sheet1.xml")),
        },
    )


def _relation(key: str, kind: str, target: str) -> str:
    names = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'
    relation = f'<Relationship Id="{key}" Type="{kind}" Target="{target}"/>'
    return f"{DECLARATION}<Relationships {names}>{relation}</Relationships>"


def _package(path: str, kind: str, content: str, more: dict | None = None) -> bytes:
    """An Office document: its parts, their types, and the relation that leads to the main one."""
    parts = {path: (kind, f"{DECLARATION}{content}")} | (more or {})
    overrides = "".join(f'<Override PartName="/{p}" ContentType="{k}"/>' for p, (k, _) in parts.items() if k)
    types = (
        f'{DECLARATION}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{overrides}</Types>'
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", types)
        archive.writestr("_rels/.rels", _relation("rId1", OFFICE, path))
        for name, (_, text) in parts.items():
            archive.writestr(name, text)
    return out.getvalue()


def specimen(extension: str, line: str) -> bytes:
    """A valid file of that format that says `line` (a container says nothing)."""
    made = {
        "pdf": pdf_bytes,
        "docx": docx_bytes,
        "xlsx": xlsx_bytes,
        "zed": lambda _: zed_bytes(),
    }
    return made[extension](line)
