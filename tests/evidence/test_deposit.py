"""The référent deposits files from the form of a step: the page, with and without script."""

import hashlib
import io
import tracemalloc

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from applications.models import values_of
from applications.states import State
from demo.ole import zed_bytes
from demo.specimens import docx, pdf
from evidence import actions
from evidence.models import Evidence, StoredFile
from evidence.uploads import SealedUploadHandler
from evidence.vault import open_stored
from tests.evidence.conftest import assert_no_orphan, dossier_with, space_of, stored_names, upload
from tests.factories import UserFactory

MEGABYTE = 1024 * 1024
SCRIPT = {"headers": {"Accept": "application/json"}}


def address(application):
    return reverse("evidence:add", args=[application.reference])


def form_of(application):
    return reverse("applications:detail", args=[application.reference])


# --- without script -----------------------------------------------------------------------------------------------
def test_a_deposited_file_stands_in_its_space(application, signed_in):
    client = signed_in(application.referent)
    answer = client.post(address(application), {"_page": "1", "espace-1": upload()})
    assert answer.headers["Location"] == f"{form_of(application)}#espace-espace-1"
    page = client.get(form_of(application)).text
    file = StoredFile.objects.get()
    assert "1\u00a0fichier déposé" in page
    assert "RIB.pdf" in page
    assert file.sha256 in page
    assert reverse("evidence:download", args=[file.pk]) in page
    assert reverse("evidence:remove", args=[file.pk]) in page
    assert "Non analysé (démonstration)" in page
    assert_no_orphan()


def test_several_files_for_several_spaces_in_one_post(db, signed_in):
    application = dossier_with({}, {"formats": ["docx"]})
    data = {
        "_page": "1",
        "espace-1": [upload(pdf(line="1")), upload(pdf(line="2"))],
        "espace-2": upload(docx(), "liste.docx"),
    }
    signed_in(application.referent).post(address(application), data)
    values = values_of(application)
    assert (len(values["espace-1"]), len(values["espace-2"])) == (2, 1)


def test_a_refused_file_is_told_in_its_space_and_only_once(db, signed_in):
    application = dossier_with({}, {})
    client = signed_in(application.referent)
    client.post(address(application), {"_page": "1", "espace-2": upload(b"bonjour", "faux <b>.pdf")})
    page = client.get(form_of(application)).text
    space = page[page.index('id="espace-espace-2"') :]
    assert "faux &lt;b&gt;.pdf" in space
    assert "son contenu est du texte" in space
    assert "ecare-space--error" in page
    assert "faux" not in client.get(form_of(application)).text
    assert not stored_names()


def test_one_refused_file_does_not_hold_back_the_others(application, signed_in):
    data = {"_page": "1", "espace-1": [upload(), upload(b"bonjour", "faux.pdf")]}
    client = signed_in(application.referent)
    client.post(address(application), data)
    assert [file["name"] for file in values_of(application)["espace-1"]] == ["RIB.pdf"]
    assert "faux.pdf" in client.get(form_of(application)).text


def test_nothing_typed_is_lost_with_a_refused_file(db, signed_in):
    application = dossier_with({}, {"kind": "text"}, {"kind": "email"})
    client = signed_in(application.referent)
    data = {"_page": "1", "espace-1": upload(b"", "vide.pdf"), "espace-2": "Bonne", "espace-3": "pas une adresse"}
    client.post(address(application), data)
    assert values_of(application) == {"espace-2": "Bonne"}
    page = client.get(form_of(application)).text
    assert "pas une adresse" in page
    assert "n’est pas valable" in page
    assert "vide.pdf\u00a0»\u00a0: ce fichier est vide" in page


def test_the_boxes_of_the_same_post_decide_which_spaces_are_shown(db, signed_in):
    choice = {"kind": "choice", "choices": [["oui", "Oui"], ["non", "Non"]]}
    application = dossier_with({"shown_if": {"espace-2": ["non"]}}, choice)
    signed_in(application.referent).post(address(application), {"_page": "1", "espace-1": upload(), "espace-2": "non"})
    assert Evidence.objects.count() == 1


def test_no_file_at_all_is_told(application, signed_in):
    client = signed_in(application.referent)
    client.post(address(application), {"_page": "1"})
    assert "Aucun fichier reçu" in client.get(form_of(application)).text


def test_saving_the_draft_with_files_chosen_puts_them_in_too(application, signed_in):
    client = signed_in(application.referent)
    answer = client.post(form_of(application), {"_page": "1", "espace-1": upload()})
    assert answer.status_code == 307
    assert answer.headers["Location"] == address(application)


def test_next_with_files_chosen_leads_to_the_recap_unless_something_is_to_be_corrected(application, signed_in):
    client = signed_in(application.referent)
    refused = client.post(address(application), {"_page": "1", "_next": "1", "espace-1": upload(b"", "RIB.pdf")})
    assert refused.headers["Location"] == f"{form_of(application)}#espace-espace-1"
    answer = client.post(address(application), {"_page": "1", "_next": "1", "espace-1": upload()})
    assert answer.headers["Location"] == reverse("applications:recap", args=[application.reference])


def test_a_file_for_an_unknown_space_is_thrown_away(application, signed_in):
    signed_in(application.referent).post(address(application), {"_page": "1", "autre": upload()})
    assert not StoredFile.objects.exists()
    assert not stored_names()


def test_a_file_too_large_is_refused_with_its_limit(application, signed_in):
    client = signed_in(application.referent)
    client.post(address(application), {"_page": "1", "espace-1": upload(pdf(MEGABYTE + 1))})
    assert "dépasse 1\u00a0Mo" in client.get(form_of(application)).text
    assert not stored_names()


def test_a_path_in_the_name_never_goes_further_than_the_parser(application, signed_in):
    signed_in(application.referent).post(address(application), {"espace-1": upload(name="../../etc/RIB.pdf")})
    assert StoredFile.objects.get().name == "RIB.pdf"


# --- with script --------------------------------------------------------------------------------------------------
def test_the_script_gets_the_list_of_the_space(application, signed_in):
    answer = signed_in(application.referent).post(address(application), {"espace-1": upload()}, **SCRIPT)
    assert answer.status_code == 200
    assert "RIB.pdf" in answer.json()["lists"]["espace-1"]
    assert answer.json()["refused"] == {}


def test_the_script_gets_the_refusals(application, signed_in):
    answer = signed_in(application.referent).post(address(application), {"espace-1": upload(b"", "vide.pdf")}, **SCRIPT)
    assert answer.status_code == 422
    (refusal,) = answer.json()["refused"]["espace-1"]
    assert refusal[0] == "vide.pdf"
    assert refusal[1].startswith("ce fichier est vide")
    assert not stored_names()


def test_the_script_saves_what_is_typed_without_touching_the_page(db, signed_in):
    application = dossier_with({}, {"kind": "text"}, {"kind": "email"})
    client = signed_in(application.referent)
    data = {"_page": "1", "espace-1": upload(), "espace-2": "Bonne", "espace-3": "pas une adresse"}
    assert client.post(address(application), data, **SCRIPT).status_code == 200
    assert values_of(application)["espace-2"] == "Bonne"
    assert "pas une adresse" not in client.get(form_of(application)).text


def test_the_script_is_told_that_the_form_is_closed(db, signed_in):
    application = dossier_with({}, state=State.SUBMITTED)
    client = signed_in(application.referent)
    answer = client.post(address(application), {"_page": "1", "espace-1": upload()}, **SCRIPT)
    assert answer.status_code == 409
    assert "plus modifiable" in answer.json()["message"]
    assert not stored_names()


# --- who ----------------------------------------------------------------------------------------------------------
def test_a_visitor_is_led_to_the_sign_in(application):
    answer = Client().post(address(application), {"espace-1": upload()})
    assert answer.status_code == 302
    assert reverse("account_login") in answer.headers["Location"]
    assert not stored_names()


def test_a_stranger_finds_no_dossier(application, signed_in):
    for stranger in (
        UserFactory(),
        UserFactory(establishment=application.establishment),
        UserFactory(ars=True),
        UserFactory(administrator=True),
    ):
        assert signed_in(stranger).post(address(application), {"espace-1": upload()}).status_code == 404
    assert not stored_names()


def test_a_reviewer_may_not_put_anything_in(application, signed_in):
    for agent in (UserFactory(ans=True), UserFactory(ars=True, regions=[application.establishment.region])):
        assert signed_in(agent).post(address(application), {"espace-1": upload()}).status_code == 403
    assert not stored_names()


def test_a_post_without_token_is_refused(application, signed_in):
    client = signed_in(application.referent)
    client.handler.enforce_csrf_checks = True
    assert client.post(address(application), {"espace-1": upload()}).status_code == 403
    assert not StoredFile.objects.exists()
    assert not stored_names()


def test_it_is_not_a_page_to_look_at(application, signed_in):
    assert signed_in(application.referent).get(address(application)).status_code == 405


# --- what arrives on the wire ---------------------------------------------------------------------------------------
def multipart(*, cut: int = 0, name: str = "RIB.pdf", content: bytes | None = None) -> bytes:
    content = pdf(50_000) if content is None else content
    body = b'--limite\r\nContent-Disposition: form-data; name="_page"\r\n\r\n1\r\n'
    body += f'--limite\r\nContent-Disposition: form-data; name="espace-1"; filename="{name}"\r\n'.encode()
    body += b"Content-Type: application/pdf\r\n\r\n" + content + b"\r\n--limite--\r\n"
    return body[: len(body) - cut]


@pytest.mark.parametrize("cut", [12, 100, 40_000])
def test_a_body_that_breaks_off_is_as_if_not_sent(application, signed_in, cut):
    client = signed_in(application.referent)
    body = multipart(cut=cut)
    answer = client.post(address(application), body, content_type="multipart/form-data; boundary=limite")
    assert answer.status_code == 302
    assert "s’est interrompu" in client.get(form_of(application)).text
    assert not StoredFile.objects.exists()
    assert not stored_names()


def test_the_script_is_told_that_the_body_broke_off(application, signed_in):
    answer = signed_in(application.referent).post(
        address(application), multipart(cut=100), content_type="multipart/form-data; boundary=limite", **SCRIPT
    )
    assert answer.status_code == 422
    assert "s’est interrompu" in answer.json()["message"]


def test_marks_of_direction_in_a_name_never_reach_a_page(application, signed_in):
    client = signed_in(application.referent)
    body = multipart(name="fact\u202efdp.exe")
    client.post(address(application), body, content_type="multipart/form-data; boundary=limite")
    page = client.get(form_of(application)).text
    assert "n’est pas autorisé ici" in page
    assert "\u202e" not in page
    assert not StoredFile.objects.exists()


def test_the_handler_keeps_one_byte_more_than_the_limit():
    handler = SealedUploadHandler(limits={"espace": 100})
    handler.new_file("espace", "a.pdf", "application/pdf", None)
    for _ in range(50):
        handler.receive_data_chunk(b"x" * 60, 0)
    received = handler.file_complete(3000)
    assert received.size == 101
    assert received.read() == b"x" * 101
    received.close()
    handler.new_file("autre", "a.pdf", "application/pdf", None)
    handler.receive_data_chunk(b"x" * 60, 0)
    assert handler.file_complete(60) is None


def test_no_plain_byte_touches_the_disk_while_a_file_comes_in(application, signed_in, settings, tmp_path, monkeypatch):
    """Everything that goes into a temporary file, or lies in a folder afterwards, is searched for the canary."""
    canary = b"PREUVE-SECRETE-7f3a" * 3
    spools = tmp_path / "spools"
    spools.mkdir()
    settings.FILE_UPLOAD_TEMP_DIR = str(spools)
    written = []
    monkeypatch.setattr("evidence.vault.TemporaryFile", lambda **_: _watched(written))
    client = signed_in(application.referent)
    client.post(address(application), {"_page": "1", "espace-1": upload(pdf(200_000, line=canary.decode()))})
    assert StoredFile.objects.count() == 1
    assert sum(map(len, written)) > 200_000
    assert canary not in b"".join(written)
    assert not list(spools.iterdir())
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or canary not in path.read_bytes()


def _watched(written):
    class Watched(io.BytesIO):
        def write(self, data):
            written.append(bytes(data))
            return super().write(data)

    return Watched()


def test_a_container_of_49_megabytes_passes_in_little_memory(db, tmp_path):
    """Received, checked, kept and read back: never more than 16 MiB at a time."""
    size = 49 * MEGABYTE
    source = tmp_path / "conteneur.zed"
    source.write_bytes(zed_bytes(size))
    application = dossier_with({"formats": ["zed"], "max_megabytes": 49})
    space = space_of(application)
    handler = SealedUploadHandler(limits={"espace-1": size})
    tracemalloc.start()
    try:
        handler.new_file("espace-1", "conteneur.zed", "application/octet-stream", None)
        with source.open("rb") as file:
            while piece := file.read(64 * 1024):
                handler.receive_data_chunk(piece, 0)
        received = handler.file_complete(size)
        evidence = actions.add(application, space, upload=received, by=application.referent, at=timezone.now())
        received.close()
        digest = hashlib.sha256()
        with open_stored(evidence.file) as reader:
            while piece := reader.read(64 * 1024):
                digest.update(piece)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert evidence.file.size == size
    assert digest.hexdigest() == evidence.file.sha256 == hashlib.sha256(source.read_bytes()).hexdigest()
    assert peak < 16 * MEGABYTE
