"""« Pièces en ZIP » and the archive of a domain: what is in them, what is not and why, and how it is verified."""

import csv
import hashlib
import io
import subprocess
import zipfile

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from python_calamine import CalamineWorkbook

from applications.actions import request_changes
from applications.models import Application
from applications.states import State
from demo.specimens import pdf
from ecare.french import paris_date
from ecare.sealing import CannotOpen
from evidence.actions import remove
from evidence.models import Evidence, StoredFile
from evidence.vault import SealedReader
from exports.models import Export
from exports.pieces import Names, safe_name
from reviews.actions import sign_convention
from reviews.models import FileVerdict, Note
from reviews.remarks import add_note, ask_opinion, give_opinion
from tests.evidence.conftest import put_in
from tests.exports.conftest import built, content_of, declared, domain_of_all_kinds, send, sent_dossier
from tests.factories import ApplicationFactory
from tests.reviews.conftest import PDF as CONVENTION

pytestmark = pytest.mark.django_db
ZIP, ARCHIVE = Export.Kind.DOSSIER_ZIP, Export.Kind.DOMAIN_ARCHIVE


def opened(export) -> zipfile.ZipFile:
    package = zipfile.ZipFile(io.BytesIO(content_of(export)))
    assert package.testzip() is None
    return package


def index_of(package) -> list[dict]:
    text = package.read("INDEX.csv").decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";"))


def sums_of(package) -> dict[str, str]:
    lines = package.read("SHA256SUMS").decode().splitlines()
    return {path: digest for digest, path in (line.split("  ", 1) for line in lines)}


def checked_in(folder) -> subprocess.CompletedProcess:
    command = ["sha256sum", "-c", "--quiet", "SHA256SUMS"]
    return subprocess.run(command, check=False, cwd=folder, capture_output=True, text=True, env={"LC_ALL": "C"})


def assert_verified(package, tmp_path):
    """As LISEZMOI.txt says."""
    package.extractall(tmp_path)
    done = checked_in(tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert set(sums_of(package)) == set(package.namelist()) - {"SHA256SUMS"}


@pytest.fixture
def dossier(ars, ans):
    """Sent twice, its first file taken out in between and another of the same name put in."""
    found = sent_dossier(domain_of_all_kinds(), container=True)
    request_changes(Application.objects.get(pk=found.pk), by=ars, version=found.version, message="Le RIB.")
    found = Application.objects.get(pk=found.pk)
    former = found.evidence.get(question__key="rib")
    remove(former, by=found.referent, at=timezone.now())
    put_in(found, pdf(line="nouveau RIB"), "RIB été.pdf", "rib")
    send(found, {})
    return Application.objects.get(pk=found.pk)


def test_the_ans_gets_every_file_that_was_sent(dossier, ans, tmp_path):
    export = built(ZIP, by=ans, what=dossier.reference)
    package = opened(export)
    files = {
        "1-candidature/rib/RIB été.pdf",
        "1-candidature/rib/RIB été (2).pdf",
        "1-candidature/pieces/Pièce n°1.pdf",
        "1-candidature/pieces/preuves.zed",
    }
    assert set(package.namelist()) == files | {"INDEX.csv", "LISEZMOI.txt", "SHA256SUMS"}
    digests = {hashlib.sha256(package.read(name)).hexdigest() for name in files}
    assert digests == set(Evidence.objects.values_list("file__sha256", flat=True))
    assert_verified(package, tmp_path)
    assert export.error == ""
    index = index_of(package)
    assert {line["Fourni"] for line in index} == {"fourni"}
    for line in index:
        stored = StoredFile.objects.get(sha256=line["SHA-256"])
        content = package.read(line["Emplacement dans l’archive"])
        assert hashlib.sha256(content).hexdigest() == stored.sha256
        assert (line["Taille (octets)"], line["Nom du fichier"]) == (str(len(content)), stored.name)
        assert line["Dossier"] == dossier.reference and line["Transmis le"]
    former, *_ = [line for line in index if line["État"].startswith("Retiré")]
    assert (former["Envoi"], former["Espace de dépôt"]) == ("Formulaire de candidature, envoi n°\u00a01", "RIB")
    assert "sha256sum -c SHA256SUMS" in package.read("LISEZMOI.txt").decode()


def test_the_index_says_what_each_desk_thinks_of_a_file(dossier, ans, ars):
    rib, piece = (dossier.evidence.filter(question__key=key).last().file for key in ("rib", "pieces"))
    said = {"application": dossier, "at": timezone.now()}
    FileVerdict.objects.create(file=rib, desk="ars", decision="refused", remark="=Illisible", by=ars, **said)
    FileVerdict.objects.create(file=rib, desk="ans", decision="accepted", by=ans, **said)
    FileVerdict.objects.create(file=piece, desk="ars", decision="accepted", by=ars, **said)
    day = paris_date(timezone.now())
    for agent in (ars, ans):
        lines = {line["SHA-256"]: line for line in index_of(opened(built(ZIP, by=agent, what=dossier.reference)))}
        for file in StoredFile.objects.filter(evidence__application=dossier):
            kept = {one.desk: one for one in file.verdicts.all()}
            for desk, label in (("ars", "ARS"), ("ans", "ANS")):
                remark = f"\u00a0: {kept[desk].remark}" if desk in kept and kept[desk].remark else ""
                wanted = (
                    f"{kept[desk].get_decision_display()} par {kept[desk].by}, le {day}{remark}" if desk in kept else ""
                )
                assert lines[file.sha256][f"Examen ({label})"] == wanted
    assert [line["Examen (ARS)"] for line in lines.values()].count("") == 2


def test_an_ars_gets_no_container_and_the_index_says_why(dossier, ars, tmp_path):
    export = built(ZIP, by=ars, what=dossier.reference)
    package = opened(export)
    assert not [name for name in package.namelist() if name.endswith(".zed")]
    [line] = [line for line in index_of(package) if line["Fourni"] == "non fourni"]
    assert line["Nom du fichier"] == "preuves.zed" and line["Emplacement dans l’archive"] == ""
    assert line["Raison"] == "Conteneur chiffré\u00a0: seule l’ANS peut le télécharger."
    assert "Pièces non fournies\u00a0: 1" in export.error
    assert_verified(package, tmp_path)


def test_what_was_never_sent_is_not_in_it(dossier, ans, ars):
    request_changes(dossier, by=ars, version=dossier.version, message="Encore.")
    put_in(Application.objects.get(pk=dossier.pk), pdf(line="brouillon"), "brouillon.pdf", "pieces")
    package = opened(built(ZIP, by=ans, what=dossier.reference))
    assert "brouillon" not in " ".join(package.namelist()) + package.read("INDEX.csv").decode()


def test_a_file_that_is_missing_altered_or_infected_is_named_and_stops_nothing(dossier, ans, tmp_path):
    lost, bad, sick = Evidence.objects.order_by("pk").values_list("file", flat=True)[:3]
    lost, bad, sick = (StoredFile.objects.get(pk=pk) for pk in (lost, bad, sick))
    default_storage.delete(lost.storage_name)
    with open(default_storage.path(bad.storage_name), "r+b") as file:
        file.seek(-1, 2)
        last = file.read(1)
        file.seek(-1, 2)
        file.write(bytes([last[0] ^ 1]))
    StoredFile.objects.filter(pk=sick.pk).update(scan=StoredFile.Scan.INFECTED)
    package = opened(built(ZIP, by=ans, what=dossier.reference))
    said = {line["SHA-256"]: line["Raison"] for line in index_of(package)}
    assert said[lost.sha256] == said[bad.sha256] == "Fichier absent du coffre ou altéré."
    assert said[sick.sha256] == "Infecté, mis en quarantaine."
    assert list(said.values()).count("") == 1
    assert_verified(package, tmp_path)


def test_a_large_file_altered_in_its_middle_fails_the_check(ans, monkeypatch, tmp_path):
    dossier = sent_dossier(domain_of_all_kinds())
    stored = StoredFile.objects.get(evidence__question__key="pieces")
    read = SealedReader.read
    monkeypatch.setattr("exports.bundles.PIECE", 64)

    def broken(reader, size=-1, /):
        if size == 64 and reader.tell() >= 128 and reader.size == stored.size:
            raise CannotOpen("altered")
        return read(reader, size)

    monkeypatch.setattr(SealedReader, "read", broken)
    export = built(ZIP, by=ans, what=dossier.reference)
    monkeypatch.undo()
    package = opened(export)
    [line] = [line for line in index_of(package) if line["SHA-256"] == stored.sha256]
    assert line["Raison"] == "Fichier altéré\u00a0: sa fin manque." and "Fichiers altérés\u00a0: 1" in export.error
    package.extractall(tmp_path)
    done = checked_in(tmp_path)
    assert done.returncode == 1 and done.stdout.count("FAILED") == 1


def test_it_is_written_to_a_stream_that_cannot_go_back(dossier, ans):
    """Sizes and digests stand behind each entry, as ZIP64 writes them."""
    package = opened(built(ZIP, by=ans, what=dossier.reference))
    assert all(info.flag_bits & 0x08 for info in package.infolist())


# --- the archive --------------------------------------------------------------------------------------------------
def test_an_archive_holds_every_dossier_of_the_domain(dossier, ans, ars, tmp_path):
    domain = dossier.domain
    other = declared(sent_dossier(domain), ars=ars, ans=ans)
    draft = ApplicationFactory(domain=domain, candidature_form=domain.forms.get(step="candidature"))
    stranger = sent_dossier(domain_of_all_kinds())
    export = built(ARCHIVE, by=ans, what=domain.slug)
    package = opened(export)
    names = package.namelist()
    for one in (dossier, other, draft):
        assert f"dossiers/{one.reference}/{one.reference}.pdf" in names
    assert f"dossiers/{other.reference}/1-candidature/rib/RIB été.pdf" in names
    assert stranger.reference not in " ".join(names)
    rows = list(csv.DictReader(io.StringIO(package.read("dossiers.csv").decode("utf-8-sig")), delimiter=";"))
    wanted = sorted(one.reference for one in (dossier, other, draft))
    assert [row["Référence"] for row in rows] == wanted
    book = CalamineWorkbook.from_filelike(io.BytesIO(package.read("dossiers.xlsx")))
    assert [row[0] for row in book.get_sheet_by_name("Dossiers").to_python()[1:]] == wanted
    assert {line["Dossier"] for line in index_of(package)} == {dossier.reference, other.reference}
    assert (export.done, export.total) == (9, 9)
    assert_verified(package, tmp_path)


def test_what_agents_write_for_each_other_leaves_with_the_archive_alone(dossier, ans, ars):
    """A note stays with the desk that it was kept for."""
    add_note(dossier, by=ans, text="Pour l’ANS.", is_shared=False)
    add_note(dossier, by=ars, text="SECRET DE L’ARS", is_shared=False)
    add_note(dossier, by=ars, text="Pour les deux.", is_shared=True)
    opinion = ask_opinion(dossier, by=ars, of=ans, question="=Et alors ?")
    give_opinion(opinion, by=ans, advice="against", answer="Non.", at=timezone.now())
    add_note(ApplicationFactory(), by=ans, text="D’UN AUTRE DOMAINE", is_shared=True)
    package = opened(built(ARCHIVE, by=ans, what=dossier.domain.slug))
    text = package.read("notes-et-avis.csv").decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";"))
    notes = [note for note in Note.objects.filter(application=dossier).order_by("at") if "SECRET" not in note.text]
    assert [row["Texte"] for row in rows] == [*(note.text for note in notes), "'=Et alors ?"]
    for row, note in zip(rows, notes, strict=False):
        assert (row["Dossier"], row["Nature"]) == (dossier.reference, "Note")
        assert (row["Auteur"], row["Service"]) == (str(note.author), note.desk.upper())
        assert row["Lu par"] == ("ARS et ANS" if note.is_shared else "ANS")
    assert (rows[-1]["Auteur"], rows[-1]["Destinataire"]) == (str(ars), str(ans))
    assert rows[-1]["Avis"] == "Défavorable\u00a0: Non." and rows[-1]["Rendu le"]
    assert "SECRET" not in text and "AUTRE DOMAINE" not in text
    for kind, what in ((ZIP, dossier.reference), (Export.Kind.QUEUE_CSV, "etat=tous")):
        assert b"Pour les deux." not in content_of(built(kind, by=ans, what=what))


def test_the_signed_convention_is_among_the_pieces(ans, ars):
    found = ApplicationFactory(state=State.ACCEPTED)
    upload = SimpleUploadedFile("Convention signée.pdf", CONVENTION)
    days = {"establishment_signed_on": timezone.localdate(), "signed_on": timezone.localdate()}
    sign_convention(found, by=ans, version=found.version, upload=upload, at=timezone.now(), **days)
    package = opened(built(ZIP, by=ars, what=found.reference))
    assert package.read("3-convention/Convention signée.pdf") == CONVENTION


# --- names --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "_.._etc_passwd"),
        ("..\\..\\x.pdf", "_.._x.pdf"),
        ("/etc/passwd", "_etc_passwd"),
        ("C:\\x.pdf", "C__x.pdf"),
        ("RIB été œuvre.pdf", "RIB été œuvre.pdf"),
        ("e\u0301te\u0301.pdf", "été.pdf"),
        ("a\u202egpj.exe.pdf", "agpj.exe.pdf"),
        ("CON.pdf", "_CON.pdf"),
        ("deux\nlignes.pdf", "deux_lignes.pdf"),
        ("fin. . .", "fin"),
        ("...", "_"),
        ("", "_"),
        ("x" * 300 + ".pdf", "x" * 116 + ".pdf"),
    ],
)
def test_a_name_leads_nowhere(name, safe):
    assert safe_name(name) == safe


def test_no_path_is_given_twice_even_where_case_does_not_count():
    names = Names()
    given = [names.path("a", name) for name in ("RIB.pdf", "rib.PDF", "RIB.pdf", "RIB (2).pdf", "sans")]
    assert given == ["a/RIB.pdf", "a/rib (2).PDF", "a/RIB (3).pdf", "a/RIB (2) (2).pdf", "a/sans"]
