"""Hostile and mistaken files: each is refused with a sentence in French, and leaves nothing behind."""

import base64
import contextlib
import gzip
import struct
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from demo.ole import SIGNATURE, ZED_CLASS, ZED_STREAM, compound_bytes, doc_bytes, zed_bytes
from demo.specimens import EXCEL, WORD, archive, content_types, docx, pdf, xlsx
from evidence import actions, files
from evidence.files import Refused
from evidence.models import Evidence, StoredFile
from tests.evidence.conftest import assert_no_orphan, dossier_with, space_of, stored_names
from tests.evidence.documents import MACRO_WORD, bomb, jpg, lying, overlapping, png, sample, with_flag

MEGABYTE = 1024 * 1024
EVERY = ["pdf", "doc", "docx", "xlsx", "zip", "jpg", "png", "zed"]
PROGRAM = b"MZ\x90\x00" + bytes(60) + b"PE\0\0" + bytes(2000)
LOCKED_OFFICE = compound_bytes({"EncryptedPackage": b"x", "EncryptionInfo": b"x"})


def _symlink() -> bytes:
    made = docx({"word/link.xml": b"/etc/passwd"})
    at = made.rindex(b"PK\x01\x02")
    return made[: at + 38] + struct.pack("<L", 0o120777 << 16) + made[at + 42 :]


def _nested(depth: int) -> bytes:
    made = docx()
    for _ in range(depth):
        made = docx({"word/embeddings/suite.docx": made})
    return made


NAMES = {
    "no name": ("", "n’a pas de nom"),
    "only an extension": (".pdf", "n’a pas de nom"),
    "slash": ("../../etc/passwd.pdf", "barre oblique"),
    "backslash": ("C:\\dossier\\rib.pdf", "barre oblique"),
    "null": ("rib.pdf\0.pdf", "caractères invisibles"),
    "line end": ("rib\r\nSet-Cookie: a.pdf", "caractères invisibles"),
    "right to left": ("facture\u202efdp.pdf", "caractères invisibles"),
    "isolate": ("facture\u2066.pdf", "caractères invisibles"),
    "zero width": ("rib\u200b.pdf", "caractères invisibles"),
    "line separator": ("rib\u2028.pdf", "caractères invisibles"),
    "escape": ("rib\x1b[31m.pdf", "caractères invisibles"),
    "too long": ("é" * 197 + ".pdf", "201\u00a0caractères"),
    "reserved": ("con.pdf", "réservé par Windows"),
    "reserved with more": ("COM1.rib.pdf", "réservé par Windows"),
    "no extension": ("rib", "Formats autorisés\u00a0: pdf"),
    "program": ("rib.exe", "Le format «\u00a0exe\u00a0»"),
    "double extension": ("facture.exe.pdf", "deux extensions"),
    "double extension and spaces": ("facture.exe   .pdf", "deux extensions"),
    "double extension, capitals": ("facture.JS.PDF", "deux extensions"),
    "extension then program": ("facture.pdf.exe", "Le format «\u00a0exe\u00a0»"),
    "not allowed here": ("rib.docx", "Le format «\u00a0docx\u00a0»"),
    "web page": ("rib.html", "Formats autorisés"),
    "drawing": ("rib.svg", "Formats autorisés"),
    "macro document": ("rib.docm", "Formats autorisés"),
    "ends with a dot": ("rib.pdf.", "Formats autorisés"),
    "look-alike letters": ("rib.рdf", "Formats autorisés"),
}

CONTENTS = {
    # --- size
    "empty": ("a.pdf", b"", "vide"),
    "one byte too many": ("a.pdf", pdf(MEGABYTE + 1), "dépasse 1\u00a0Mo"),
    "far too large": ("a.pdf", pdf(3 * MEGABYTE), "dépasse 1\u00a0Mo"),
    # --- real type against extension
    "program as pdf": ("a.pdf", PROGRAM, "un programme Windows"),
    "web page as pdf": ("a.pdf", b"<!DOCTYPE html><html><script>alert(1)</script></html>", "une page web"),
    "shell as pdf": ("a.pdf", b"#!/bin/sh\nrm -rf /\n", "un autre format"),
    "image as pdf": ("a.pdf", png(), "une image png"),
    "pdf as image": ("a.jpg", pdf(), "un PDF"),
    "png as jpg": ("a.jpg", png(), "une image png"),
    "gif as png": ("a.png", b"GIF89a" + bytes(100), "une image gif"),
    "docx as pdf": ("a.pdf", docx(), "Office"),
    "pdf as docx": ("a.docx", pdf(), "un PDF"),
    "rtf as doc": ("a.doc", b"{\\rtf1\\ansi Bonjour}", "RTF"),
    "docx as doc": ("a.doc", docx(), "Office"),
    "doc as docx": ("a.docx", doc_bytes(), "autre format"),
    "xlsx as docx": ("a.docx", xlsx(), "autre format"),
    "docx as xlsx": ("a.xlsx", docx(), "autre format"),
    "plain zip as docx": ("a.docx", archive({"note.txt": b"bonjour"}), "autre format"),
    "template as docx": ("a.docx", docx(types=(WORD.replace("document.main", "template.main"),)), "autre format"),
    "old excel as doc": ("a.doc", compound_bytes({"Workbook": b"x"}), "n’est pas un document Word"),
    "random as pdf": ("a.pdf", bytes(range(256)) * 20, "contenu"),
    # --- what others make of documents
    "7z as zip": ("a.zip", b"7z\xbc\xaf\x27\x1c\0\4" + bytes(200), "une archive 7z"),
    "rar as zip": ("a.zip", b"Rar!\x1a\x07\x01\x00" + bytes(200), "une archive rar"),
    "gzip as zip": ("a.zip", gzip.compress(pdf()), "une archive gzip"),
    "program of Linux as pdf": ("a.pdf", b"\x7fELF\x02\x01\x01" + bytes(300), "format inconnu"),
    "shortcut as docx": ("a.docx", b"L\0\0\0\x01\x14\x02\0\0\0\0\0\xc0" + bytes(200), "incomplet"),
    "drawing with a script as png": ("a.png", b"<svg><script>alert(1)</script></svg>", "un autre format"),
    "web page as docx": ("a.docx", b"<html><body>Bonjour</body></html>", "une page web"),
    "postscript as pdf": ("a.pdf", b"%!PS-Adobe-3.0\n(Bonjour) show\n", "un autre format"),
    "pdf in base64": ("a.pdf", base64.b64encode(pdf()), "du texte"),
    "bitmap as png": ("a.png", b"BM" + bytes(80), "du texte"),
    "webp as jpg": ("a.jpg", b"RIFF\x24\0\0\0WEBPVP8 " + bytes(40), "un autre format"),
    "picture of a phone as jpg": ("a.jpg", b"\0\0\0\x18ftypheic" + bytes(60), "une image heic"),
    "tiff as jpg": ("a.jpg", b"II*\0\x08\0\0\0" + bytes(60), "une image tiff"),
    "open document as docx": (
        "a.docx",
        archive({"mimetype": b"application/vnd.oasis.opendocument.text"}, method=zipfile.ZIP_STORED),
        "un autre format",
    ),
    "slides as docx": (
        "a.docx",
        docx(types=(WORD.replace("wordprocessingml.document", "presentationml.presentation"),)),
        "autre format",
    ),
    "template with macros": ("a.docx", docx(types=(MACRO_WORD.replace("document", "template"),)), "macros"),
    "binary sheet with macros": (
        "a.xlsx",
        xlsx(types=(EXCEL.replace("sheet.main+xml", "binary.macroEnabled"),)),
        "macros",
    ),
    # --- damaged
    "pdf cut in half": ("a.pdf", pdf(4000)[:2000], "incomplet"),
    "pdf header alone": ("a.pdf", b"%PDF-1.7\n", "incomplet"),
    "jpg cut": ("a.jpg", jpg()[:300], "incomplet"),
    "jpg start alone": ("a.jpg", b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00", "incomplet"),
    "png cut": ("a.png", png()[:-6], "incomplet"),
    "png start alone": ("a.png", png()[:33], "incomplet"),
    "docx cut": ("a.docx", docx()[:-30], "incomplet"),
    "docx with a flipped byte": (
        "a.docx",
        sample("word.docx").replace(b"word/document.xml", b"word/docUment.xml", 1),
        "structure",
    ),
    "doc cut": ("a.doc", doc_bytes()[:-2000], "incomplet"),
    "doc header alone": ("a.doc", doc_bytes()[:512], "incomplet"),
    "zed cut": ("a.zed", zed_bytes(65536)[:30000], "incomplet"),
    # --- locked
    "locked docx": ("a.docx", LOCKED_OFFICE, "mot de passe"),
    "locked xlsx": ("a.xlsx", LOCKED_OFFICE, "mot de passe"),
    "locked doc": ("a.doc", doc_bytes(flags=0x0100), "mot de passe"),
    "locked docx as doc": ("a.doc", LOCKED_OFFICE, "mot de passe"),
    "locked zip": ("a.zip", with_flag(archive({"a.docx": docx()}), 1), "mot de passe"),
    **{
        f"locked pdf {kind}": ("a.pdf", sample(f"user-{kind}.pdf"), "mot de passe")
        for kind in ("RC4-40", "RC4-128", "AES-128", "AES-256-R5", "AES-256")
    },
    # --- macros
    "docm as docx": ("a.docx", docx(types=(MACRO_WORD,)), "macros"),
    "vba project": ("a.docx", docx({"word/vbaProject.bin": b"x"}), "macros"),
    "vba project, other name": ("a.docx", docx(types=(WORD, "application/vnd.ms-office.vbaProject")), "macros"),
    "vba by relation": (
        "a.docx",
        docx(
            {
                "word/_rels/document.xml.rels": b'<R Type="http://schemas.microsoft.com/office/2006/relationships/vbaProject"/>'
            }
        ),
        "macros",
    ),
    "vba type spelled in entities": (
        "a.docx",
        docx(types=(WORD, "application/vnd.ms-word.document.macro&#69;nabled.main+xml")),
        "macros",
    ),
    "xlsm as xlsx": ("a.xlsx", xlsx(types=("application/vnd.ms-excel.sheet.macroEnabled.main+xml",)), "macros"),
    "macro sheet": ("a.xlsx", xlsx(types=(EXCEL, "application/vnd.ms-excel.macrosheet+xml")), "macros"),
    "doc with macros": ("a.doc", doc_bytes(streams={"Macros/VBA/dir": b"x"}), "macros"),
    "docm inside a docx": ("a.docx", docx({"word/embeddings/a.docm": docx()}), "macros"),
    "xlsm inside a docx, renamed": (
        "a.docx",
        docx({"word/embeddings/a.bin": xlsx({"xl/vbaProject.bin": b"x"})}),
        "macros",
    ),
    "doc with macros inside a docx": (
        "a.docx",
        docx({"word/embeddings/oleObject1.bin": doc_bytes(streams={"Macros/VBA/dir": b"x"})}),
        "macros",
    ),
    # --- archives
    "flat bomb": ("a.docx", bomb(201), "place anormale"),
    "small bomb of a high ratio": ("a.docx", bomb(40), "place anormale"),
    "bomb that lies about its size": ("a.docx", lying(), "place anormale"),
    "overlapping bomb": ("a.zip", overlapping(), "place anormale"),
    "nested too deep": ("a.docx", _nested(3), "place anormale"),
    "nested bomb": (
        "a.docx",
        docx({"word/embeddings/b.docx": bomb(150, extra={"noise": jpg() * 50})}),
        "place anormale",
    ),
    "too many entries": ("a.docx", docx({f"word/{n}.xml": b"" for n in range(2001)}), "place anormale"),
    "path out of the archive": ("a.docx", docx({"../../evil.xml": b"x"}), "sort de son dossier"),
    "absolute path": ("a.docx", docx({"/etc/cron.d/evil": b"x"}), "sort de son dossier"),
    "windows path out": ("a.docx", docx({"..\\..\\evil.xml": b"x"}), "sort de son dossier"),
    "drive": ("a.docx", docx({"C:/evil.xml": b"x"}), "sort de son dossier"),
    "control in a name": ("a.docx", docx({"word/\x1bevil.xml": b"x"}), "sort de son dossier"),
    "symbolic link": ("a.docx", _symlink(), "structure"),
    "same name twice": ("a.docx", docx({"word/Document.xml": b"x"}), "structure"),
    "odd compression": ("a.zip", archive({"a.docx": docx()}, method=zipfile.ZIP_LZMA), "structure"),
    "document type in the content types": (
        "a.docx",
        archive(
            {"[Content_Types].xml": b'<!DOCTYPE a [<!ENTITY b "c">]>' + content_types({"word/document.xml": WORD})}
        ),
        "structure",
    ),
    "archive of an archive": ("a.zip", archive({"b.zip": archive({"a.docx": docx()})}), "Formats autorisés"),
    "archive with a program": ("a.zip", archive({"a.docx": docx(), "lisez.exe": PROGRAM}), "«\u00a0lisez.exe\u00a0»"),
    "archive with a renamed program": ("a.zip", archive({"a.docx": PROGRAM}), "un programme Windows"),
    "archive with macros": ("a.zip", archive({"a.docx": docx(types=(MACRO_WORD,))}), "macros"),
    "archive with a large document": ("a.zip", archive({"a.pdf": pdf(MEGABYTE + 1)}), "dépasse la taille"),
    "archive with a disguised leftover": (
        "a.zip",
        archive({"a.docx": docx(), "__MACOSX/._a.docx": PROGRAM}),
        "structure",
    ),
    "archive of folders": ("a.zip", archive({"dossier/": b""}), "aucun document"),
    "empty archive": ("a.zip", archive({}), "incomplet"),
    "archive of Java": ("a.zip", archive({"META-INF/MANIFEST.MF": b"Main-Class: A\n"}), "«\u00a0mf\u00a0»"),
    "archive with a shortcut": ("a.zip", archive({"a.docx": docx(), "ouvrir.lnk": b"L\0"}), "«\u00a0lnk\u00a0»"),
    "archive with a web page": ("a.zip", archive({"a.docx": docx(), "lisez.html": b"<p>"}), "«\u00a0html\u00a0»"),
    "program before an archive": ("a.zip", PROGRAM + archive({"a.docx": docx()}), "un programme Windows"),
    # --- two in one
    "pdf and archive": ("a.pdf", pdf() + archive({"a.exe": PROGRAM}), "en cache un second"),
    "pdf in the comment of an archive": (
        "a.pdf",
        pdf(before=b"") + archive({"a.js": b"x"}, comment=b"startxref\n0\n%%EOF\n"),
        "en cache un second",
    ),
    "web page before a pdf": ("a.pdf", b"<html><script>alert(1)</script></html>" + pdf(), "incomplet"),
    "program before an image": ("a.png", PROGRAM + png(), "un programme Windows"),
    "image and archive": ("a.jpg", jpg() + archive({"a.js": b"x"}), "en cache un second"),
    "png and archive": ("a.png", png(after=archive({"a.js": b"x"})), "en cache un second"),
    "archive with something after it": ("a.docx", docx() + b"<html></html>", "incomplet"),
    # --- containers
    "office as zed": ("a.zed", doc_bytes(), "n’est pas un conteneur ZED"),
    "zip as zed": ("a.zed", archive({"a.docx": docx()}), "Office"),
    "program as zed": ("a.zed", PROGRAM, "un programme Windows"),
    "class without stream": (
        "a.zed",
        compound_bytes({"Contents": b"x"}, class_id=ZED_CLASS),
        "n’est pas un conteneur ZED",
    ),
    "stream without class": ("a.zed", compound_bytes({ZED_STREAM: b"x"}), "n’est pas un conteneur ZED"),
    "signature alone": ("a.zed", SIGNATURE + bytes(3000), "incomplet"),
    "locked office as zed": ("a.zed", LOCKED_OFFICE, "n’est pas un conteneur ZED"),
}


@pytest.mark.parametrize(("name", "reason"), NAMES.values(), ids=NAMES)
def test_a_bad_name_is_refused(name, reason):
    with pytest.raises(Refused, match=reason):
        files.names.checked_name(name, formats=["pdf"])


@pytest.mark.parametrize(("name", "content", "reason"), CONTENTS.values(), ids=CONTENTS)
def test_a_bad_file_is_refused_and_leaves_nothing(db, name, content, reason):
    application = dossier_with({"formats": EVERY})
    space = space_of(application)
    with pytest.raises(Refused, match=reason) as refusal:
        actions.add(
            application,
            space,
            upload=SimpleUploadedFile(name, content),
            by=application.referent,
            at=timezone.now(),
        )
    assert str(refusal.value).endswith((".", "à nouveau."))
    assert not Evidence.objects.exists()
    assert not StoredFile.objects.exists()
    assert not stored_names()
    assert_no_orphan()


def test_no_more_than_the_limit_and_one_byte_is_read():
    class Endless:
        name, count = "a.pdf", 0

        def seek(self, position):
            pass

        def read(self, size):
            self.count += size
            return b"x" * size

    endless = Endless()
    with pytest.raises(Refused, match="dépasse"):
        files.check(endless, formats=["pdf"], max_bytes=MEGABYTE)
    assert endless.count == MEGABYTE + 1


@pytest.mark.parametrize("name", ["word.docx", "sheet.xlsx", "scan.png", "progressive.jpg", "owner-AES-256.pdf"])
def test_whatever_byte_is_altered_the_answer_is_a_refusal_or_a_file(name):
    """A parser that stumbles would answer with an error page: only `Refused` may come out."""
    content = sample(name)
    for position in range(0, len(content), max(1, len(content) // 300)):
        altered = content[:position] + bytes([content[position] ^ 0xFF]) + content[position + 1 :]
        for made in (altered, content[:position]):
            with contextlib.suppress(Refused):
                files.check(SimpleUploadedFile(name, made), formats=EVERY, max_bytes=MEGABYTE)


@pytest.mark.parametrize("made", [doc_bytes(), zed_bytes()], ids=["doc", "zed"])
def test_an_altered_compound_file_never_breaks_the_checks(made):
    name = "a.zed" if made == zed_bytes() else "a.doc"
    for position in [*range(600), *range(600, len(made), 37)]:
        altered = made[:position] + bytes([made[position] ^ 0xFF]) + made[position + 1 :]
        with contextlib.suppress(Refused):
            files.check(SimpleUploadedFile(name, altered), formats=EVERY, max_bytes=MEGABYTE)
