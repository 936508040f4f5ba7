"""What an honest establishment sends: none is refused, and each comes back byte for byte."""

import hashlib
import unicodedata
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from demo.ole import compound_bytes, doc_bytes, zed_bytes
from demo.specimens import WORD, archive, docx, pdf, xlsx
from evidence import actions
from evidence.models import StoredFile
from evidence.vault import open_stored
from tests.evidence.conftest import dossier_with, space_of
from tests.evidence.documents import jpg, png, sample

MEGABYTE = 1024 * 1024
EVERY = ["pdf", "doc", "docx", "xlsx", "zip", "jpg", "png", "zed"]
LEFTOVER = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X"

HONEST = {
    "docx by hand": ("Liste des AD.docx", docx()),
    "docx by Word": ("Liste des AD (v2).docx", sample("word.docx")),
    "docx with pictures and a sheet": (
        "recueil.docx",
        docx({"word/media/image1.png": png(), "word/embeddings/Classeur1.xlsx": xlsx()}),
    ),
    "docx with an old object": ("recueil.docx", docx({"word/embeddings/oleObject1.bin": doc_bytes()})),
    "docx stored, not compressed": ("recueil.docx", docx(method=zipfile.ZIP_STORED)),
    "xlsx by hand": ("Trame financière.xlsx", xlsx()),
    "xlsx by another program": ("Trame financière.xlsx", sample("sheet.xlsx")),
    "xlsx that shrinks a lot": ("trame.xlsx", xlsx({"xl/worksheets/sheet2.xml": b"<c r='A1'/>" * 500_000})),
    "doc": ("recueil AD.doc", doc_bytes()),
    "doc with tables and pictures": (
        "recueil.doc",
        doc_bytes(streams={"Data": bytes(200_000), "ObjectPool/_1/Contents": b""}),
    ),
    "pdf 1.4": ("RIB.pdf", pdf(version="1.4")),
    "pdf 2.0": ("RIB.pdf", pdf(version="2.0")),
    "pdf of a scanner, with a mark before": ("SCAN_0001.PDF", pdf(before=b"\xef\xbb\xbf")),
    "pdf with an empty line before": ("scan.pdf", pdf(before=b"\r\n")),
    "pdf with an empty line after": ("scan.pdf", pdf(after=b"\r\n\r\n")),
    "pdf of exactly the limit": ("gros.pdf", pdf(MEGABYTE)),
    "pdf one byte below the limit": ("gros.pdf", pdf(MEGABYTE - 1)),
    **{
        f"pdf that forbids copying, {kind}": ("RIB banque.pdf", sample(f"owner-{kind}.pdf"))
        for kind in ("RC4-40", "RC4-128", "AES-128", "AES-256-R5", "AES-256", "printing-forbidden")
    },
    "jpg": ("rib.jpg", jpg()),
    "jpeg": ("rib.jpeg", jpg()),
    "jpg, progressive": ("RIB.JPG", sample("progressive.jpg")),
    "jpg of a phone, with something after": ("IMG_2041.jpg", jpg() + b"\0" * 200),
    "png": ("rib.png", png()),
    "png of a scanner": ("rib.png", sample("scan.png")),
    "zip of documents": ("AD.zip", archive({f"AD {n}.docx": docx(line=str(n)) for n in range(12)})),
    "zip with folders": (
        "AD.zip",
        archive({"AD/": b"", "AD/Béziers/recueil.docx": docx(), "AD/Sète/recueil.doc": doc_bytes()}),
    ),
    "zip of a Mac": (
        "AD.zip",
        archive({"AD/a.docx": docx(), "AD/.DS_Store": b"\0\0\0\1Bud1" + bytes(10), "__MACOSX/AD/._a.docx": LEFTOVER}),
    ),
    "zip of an old Windows": ("AD.zip", archive({"AD\\a.docx": docx(), "AD\\b.docx": docx()})),
    "zip, not compressed": ("AD.zip", archive({"a.docx": docx()}, method=zipfile.ZIP_STORED)),
    "zip with a comment": ("AD.zip", archive({"a.docx": docx()}, comment="créé par le CHU".encode())),
    "zed": ("conteneur O1.zed", zed_bytes()),
    "zed of half a megabyte": ("conteneur.zed", zed_bytes(MEGABYTE // 2)),
    "zed of exactly the limit": ("conteneur.zed", zed_bytes(MEGABYTE)),
    "zed in small sectors": (
        "conteneur.ZED",
        compound_bytes(
            {"5haaaaqaIekzeecnWj31zxh0Nc": b"", "x": bytes(100_000)}, class_id="00000FE0-8804-4CA8-8868-36F59DEFD14D"
        ),
    ),
    "accents and signs in the name": ("Relevé d’identité bancaire – CHU (n° 2) [signé] & daté.pdf", pdf()),
    "a name of 200 characters": ("é" * 196 + ".pdf", pdf()),
    "dots in the name": ("convention.v2.2026.11.20.pdf", pdf()),
    "a domain in the name": ("exposition-chu.com.pdf", pdf()),
    "a name that begins like a reserved one": ("console AD.pdf", pdf()),
    "spaces around the name": (" rib.pdf ", pdf()),
    "strict docx": ("strict.docx", docx(types=(WORD, "application/xml"))),
}


@pytest.mark.parametrize(("name", "content"), HONEST.values(), ids=HONEST)
def test_an_honest_file_enters_and_comes_back_whole(db, name, content):
    application = dossier_with({"formats": EVERY})
    evidence = actions.add(
        application,
        space_of(application),
        upload=SimpleUploadedFile(name, content),
        by=application.referent,
        at=timezone.now(),
    )
    assert evidence.file.name == name.strip()
    assert evidence.file.size == len(content)
    assert evidence.file.sha256 == hashlib.sha256(content).hexdigest()
    with open_stored(evidence.file) as reader:
        assert reader.read() == content


def test_the_decomposed_accents_of_a_mac_are_composed(application):
    evidence = actions.add(
        application,
        space_of(application),
        upload=SimpleUploadedFile(unicodedata.normalize("NFD", "Relevé.pdf"), pdf()),
        by=application.referent,
        at=timezone.now(),
    )
    assert evidence.file.name == "Relevé.pdf"


def test_a_container_says_that_nobody_looked_inside(db):
    application = dossier_with({"formats": EVERY})
    for name, content, scan in (
        ("a.zed", zed_bytes(), StoredFile.Scan.CONTAINER),
        ("a.pdf", pdf(), StoredFile.Scan.NOT_SCANNED),
    ):
        evidence = actions.add(
            application,
            space_of(application),
            upload=SimpleUploadedFile(name, content),
            by=application.referent,
            at=timezone.now(),
        )
        assert evidence.file.scan == scan


def test_where_there_is_an_antivirus_a_file_waits_for_it(application, settings):
    settings.SCANNER = "clamd:///nowhere"
    evidence = actions.add(
        application,
        space_of(application),
        upload=SimpleUploadedFile("a.pdf", pdf()),
        by=application.referent,
        at=timezone.now(),
    )
    assert evidence.file.scan == StoredFile.Scan.PENDING
    assert not evidence.file.is_readable
