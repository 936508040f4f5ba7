"""An import asked for in the administration: sent, tried, read, confirmed, carried out by a worker."""

import io
import zipfile
from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from ecare.journal.models import Entry
from establishments import imports
from establishments.actions import import_directory
from establishments.models import DirectoryImport, Establishment, ImportRequest, LegalEntity
from establishments.readers import read_folder
from establishments.tasks import forget_imports, run_imports
from tests.applications.pages import text_of
from tests.establishments.conftest import CLINIC
from tests.evidence.documents import with_flag
from tests.factories import finess

pytestmark = pytest.mark.django_db
State = ImportRequest.State
FIELDS = {"legal_entities": "*cs1100501*", "sites": "*cs1100502*", "ghts": "liste-ght*", "activities": "activite*"}
ADD = "admin:establishments_importrequest_add"


@pytest.fixture
def known(folder):
    """The directory as the folder says, its regions included; then a change that the files tell."""
    folder.run()
    folder.entities[CLINIC]["rs"] = "CLINIQUE DU PARC"
    folder.write()
    return folder


def uploads(folder) -> dict:
    found = {field: next(folder.path.glob(pattern)) for field, pattern in FIELDS.items()}
    return {field: SimpleUploadedFile(path.name, path.read_bytes()) for field, path in found.items()}


def zipped(folder, **options) -> SimpleUploadedFile:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path in folder.path.iterdir():
            archive.write(path, f"finess/{path.name}")
        for name, content in options.items():
            archive.writestr(name.replace("__", "/"), content)
    return SimpleUploadedFile("finess.zip", packed.getvalue())


def ask(folder) -> ImportRequest:
    files = [(upload.name, upload) for upload in uploads(folder).values()]
    return imports.ask(files, by=("user:1", "Alix"), at=timezone.now())


def stored() -> list[str]:
    return default_storage.listdir("imports")[1] if default_storage.exists("imports") else []


def page(asked, name="change") -> str:
    return reverse(f"admin:establishments_importrequest_{name}", args=[asked.pk])


# --- from the files to the report ---------------------------------------------------------------------------------
@pytest.mark.parametrize("as_archive", [False, True])
def test_files_are_tried_first_then_imported_when_confirmed(
    admin, known, as_archive, django_capture_on_commit_callbacks
):
    sent = {"archive": zipped(known)} if as_archive else uploads(known)
    answer = admin.post(reverse(ADD), sent)
    asked = ImportRequest.objects.get()
    assert answer["Location"] == page(asked)
    assert asked.state == State.TRIAL
    assert "Essai à blanc en attente" in text_of(admin.get(page(asked)))

    assert run_imports()
    asked.refresh_from_db()
    assert asked.state == State.TRIED
    assert LegalEntity.objects.get(finess=CLINIC).name == "CLINIQUE SAINTE-THÉRÈSE"
    said = text_of(admin.get(page(asked)))
    assert "Ce que l’import changerait" in said
    assert asked.tried.counts["legal_entities"]["changed"] == 1

    admin.post(page(asked, "confirm"))
    assert not DirectoryImport.objects.filter(request=asked).exists()
    with django_capture_on_commit_callbacks(execute=True):
        assert run_imports()
    asked.refresh_from_db()
    assert asked.state == State.DONE
    assert LegalEntity.objects.get(finess=CLINIC).name == "CLINIQUE DU PARC"
    assert asked.report.counts == asked.trial["counts"]
    assert "Ce que l’import a changé" in text_of(admin.get(page(asked)))
    assert stored() == []
    verbs = list(Entry.objects.filter(subject="directory").order_by("sequence").values_list("verb", flat=True))
    assert verbs == ["import", "ask_import", "confirm_import", "import"]
    assert not run_imports()


def test_nothing_is_imported_before_it_is_confirmed(known):
    ask(known)
    assert [run_imports(), run_imports(), run_imports()] == [True, False, False]
    assert DirectoryImport.objects.count() == 1


def test_refused_and_warned_lines_are_told_with_their_line_and_reason_page_by_page(admin, known):
    known.append("*cs1100501*", *[f"structureej;34000{rank:04d}" for rank in range(60)])
    asked = ask(known)
    run_imports()
    first = text_of(admin.get(page(asked)))
    assert "60 lignes, page 1 sur 2" in first
    assert "Refusée" in first
    assert "2 champs au lieu de 23" in first
    second = text_of(admin.get(page(asked) + "?page=2&gravite=refused"))
    assert "page 2 sur 2" in second
    assert "Aucune." in text_of(admin.get(page(asked) + "?gravite=warned"))


def test_what_a_line_holds_is_shown_and_never_run(admin, known):
    known.entities[CLINIC]["siren"] = "<script>alert(1)</script>"
    known.write()
    asked = ask(known)
    run_imports()
    assert "<script>alert(1)" not in admin.get(page(asked)).text
    assert "&lt;script&gt;alert(1)" in admin.get(page(asked)).text


def test_many_closures_are_told_loudly(admin, known):
    for number in list(known.entities)[:2]:
        known.entities.pop(number)
    known.members.clear()
    known.activities.clear()
    known.write()
    asked = ask(known)
    run_imports()
    assert "Un fichier est-il tronqué" in text_of(admin.get(page(asked)))


# --- what is refused ----------------------------------------------------------------------------------------------
def bad_zip() -> SimpleUploadedFile:
    return SimpleUploadedFile("f.zip", b"PK not a zip")


def strange_zip() -> SimpleUploadedFile:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("photo.jpg", b"x")
    return SimpleUploadedFile("f.zip", packed.getvalue())


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (dict, "Choisissez au moins un fichier."),
        (lambda: {"archive": bad_zip()}, "n’est pas une archive ZIP"),
        (lambda: {"archive": strange_zip()}, "ne porte un nom publié"),
        (lambda: {"archive": strange_zip(), "ghts": SimpleUploadedFile("a.csv", b"x")}, "pas les deux"),
    ],
)
def test_wrong_files_are_refused_and_nothing_is_kept(admin, sent, told):
    answer = admin.post(reverse(ADD), sent())
    assert told in text_of(answer)
    assert not ImportRequest.objects.exists()
    assert stored() == []


def test_a_file_that_is_not_an_extract_fails_with_a_sentence_and_is_not_tried_again(
    admin, django_capture_on_commit_callbacks
):
    asked = imports.ask(
        [("etalab-cs1100501-x.csv", SimpleUploadedFile("x.csv", b"n;importe;quoi"))], by=("u", "A"), at=timezone.now()
    )
    with django_capture_on_commit_callbacks(execute=True):
        run_imports()
    asked.refresh_from_db()
    assert asked.state == State.FAILED
    assert "finess;etalab" in text_of(admin.get(page(asked)))
    assert stored() == []
    assert not run_imports()


def packed_as(method: int) -> bytearray:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        archive.writestr("regions.csv", bytes(range(256)) * 4000)
    return bytearray(packed.getvalue())


def altered(at: int) -> bytes:
    made = packed_as(zipfile.ZIP_DEFLATED)
    made[at] ^= 0xFF
    return bytes(made)


@pytest.mark.parametrize(
    "content",
    [
        altered(45),  # no deflated stream any more
        altered(3000),  # another text than its checksum says
        with_flag(packed_as(zipfile.ZIP_DEFLATED), 1),
        bytes(packed_as(zipfile.ZIP_LZMA)),
        b"PK nothing",
    ],
    ids=["stream", "checksum", "locked", "odd packing", "no archive"],
)
def test_an_archive_that_cannot_be_read_fails_at_once_with_a_sentence(
    admin, content, django_capture_on_commit_callbacks
):
    asked = imports.ask([("finess.zip", SimpleUploadedFile("f.zip", content))], by=("u", "A"), at=timezone.now())
    with django_capture_on_commit_callbacks(execute=True):
        run_imports()
    asked.refresh_from_db()
    assert asked.state == State.FAILED
    assert "l’archive ne se lit pas. Faites-la à nouveau, sans mot de passe." in text_of(admin.get(page(asked)))
    assert stored() == []


@pytest.mark.parametrize("name", ["evil__..__..__etc__regions.csv", "regions.csv"])
def test_an_archive_writes_only_into_its_own_folder(known, name, tmp_path):
    packed = zipped(known, **{name: "code_region;region;ars\n"})
    asked = imports.ask([("archive.zip", packed)], by=("u", "A"), at=timezone.now())
    with imports.unpacked(asked) as folder:
        assert {path.parent for path in folder.rglob("*")} == {folder}
    assert not folder.exists()


def test_an_archive_that_swells_is_given_up(known, monkeypatch):
    monkeypatch.setattr(imports, "MOST_UNPACKED", 1000)
    asked = imports.ask([("archive.zip", zipped(known))], by=("u", "A"), at=timezone.now())
    run_imports()
    asked.refresh_from_db()
    assert asked.state == State.FAILED
    assert "dépassent 400 Mo" in asked.error


def test_a_name_that_is_not_the_published_one_is_read_all_the_same(admin, known):
    sent = uploads(known)
    sent["legal_entities"].name = "../../mon extrait.csv"
    admin.post(reverse(ADD), sent)
    names = [file["name"] for file in ImportRequest.objects.get().files]
    assert "etalab-cs1100501-televerse.csv" in names
    run_imports()
    assert ImportRequest.objects.get().state == State.TRIED


# --- one after the other ------------------------------------------------------------------------------------------
def test_a_trial_is_worth_nothing_once_another_import_took_place(admin, known):
    asked = ask(known)
    run_imports()
    import_directory(read_folder(known.path))
    said = text_of(admin.post(page(asked, "confirm"), follow=True))
    assert "Un autre import a eu lieu" in said
    asked.refresh_from_db()
    assert asked.state == State.TRIED


def test_one_confirms_once(admin, known):
    asked = ask(known)
    run_imports()
    admin.post(page(asked, "confirm"))
    said = text_of(admin.post(page(asked, "confirm"), follow=True))
    assert "n’attend pas de confirmation" in said
    assert "ne peut plus être abandonnée" in text_of(admin.post(page(asked, "giveup"), follow=True))


def test_giving_up_leaves_no_file(admin, known, django_capture_on_commit_callbacks):
    asked = ask(known)
    with django_capture_on_commit_callbacks(execute=True):
        admin.post(page(asked, "giveup"))
    asked.refresh_from_db()
    assert asked.state == State.GIVEN_UP
    assert stored() == []
    assert not run_imports()


def test_what_nobody_confirms_is_forgotten_after_a_day(known, django_capture_on_commit_callbacks):
    asked = ask(known)
    run_imports()
    assert forget_imports() == 0
    ImportRequest.objects.update(asked_at=timezone.now() - timedelta(hours=25))
    with django_capture_on_commit_callbacks(execute=True):
        assert forget_imports() == 1
    asked.refresh_from_db()
    assert asked.state == State.GIVEN_UP
    assert stored() == []


def test_two_workers_take_an_import_once(known):
    ask(known)
    now = timezone.now()
    assert imports.claim(now) is not None
    assert imports.claim(now) is None


def test_one_whose_worker_died_is_taken_again_but_not_for_ever(known):
    asked, now = ask(known), timezone.now()
    for rank in range(imports.MOST_ATTEMPTS):
        assert imports.claim(now + rank * 2 * imports.LEASE) is not None
    assert imports.claim(now + 20 * imports.LEASE) is None
    asked.refresh_from_db()
    assert asked.state == State.FAILED


def test_a_worker_that_lost_its_lease_writes_nothing(known):
    asked = ask(known)
    run_imports()
    asked.refresh_from_db()
    imports.confirm(asked, by=("u", "A"))
    late = imports.claim(timezone.now())
    imports.claim(timezone.now() + 2 * imports.LEASE)
    imports.run(late, lambda: import_directory(read_folder(known.path)))
    assert LegalEntity.objects.get(finess=CLINIC).name == "CLINIQUE SAINTE-THÉRÈSE"
    assert DirectoryImport.objects.count() == 1


def test_its_progress_can_be_read(admin, known):
    asked = ask(known)
    claimed = imports.claim(timezone.now())
    imports.note(claimed, "Lecture : 1 000 lignes sur 2 000", at=timezone.now())
    assert "1 000 lignes sur 2 000" in text_of(admin.get(page(asked)))


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_asks_as_much_for_one_as_for_three(admin, django_assert_num_queries, rows):
    for _rank in range(rows):
        report = DirectoryImport.objects.create(by="A", files=[], counts={}, remarks=[])
        ImportRequest.objects.create(asked_at=timezone.now(), by="A", files=[], state=State.DONE, report=report)
    address = reverse("admin:establishments_importrequest_changelist")
    admin.get(address)
    with django_assert_num_queries(9):
        admin.get(address)


def test_establishments_still_follow(admin, known):
    known.entity(finess("34", 77), "CH NOUVEAU")
    known.write()
    asked = ask(known)
    run_imports()
    asked.refresh_from_db()
    imports.confirm(asked, by=("u", "A"))
    run_imports()
    assert Establishment.objects.filter(name="CH NOUVEAU").exists()
