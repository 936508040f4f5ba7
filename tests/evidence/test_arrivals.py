"""A file that comes in parts: in any order, twice, not at all, too late; whatever breaks off costs one part at most."""

import io
import tracemalloc
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.db import DatabaseError
from django.utils import timezone

from applications.actions import NotNow, write_answer
from applications.models import Application, values_of
from demo.ole import zed_bytes
from demo.specimens import pdf
from ecare.journal.models import Entry
from ecare.sealing import CannotOpen
from evidence import arrivals, vault
from evidence.files import Refused
from evidence.models import Evidence, StoredFile, Upload, UploadPart
from evidence.storage import StoreDown
from evidence.vault import PART
from tests.evidence.arriving import (
    LARGE,
    MEGABYTE,
    TWELVE,
    finish,
    opened,
    parts_of,
    pieces,
    referred_to,
    send,
    sha256,
    start,
)
from tests.evidence.conftest import dossier_with, put_in, space_of, stored_names
from tests.factories import UserFactory
from tests.faults import break_inserts_into


@pytest.fixture
def application(db):
    return dossier_with(LARGE)


# --- the parts ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_parts_in_any_order_make_the_file(application, order, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        upload = start(application, TWELVE)
        send(upload, TWELVE, *order)
        finish(upload)
    file = Evidence.objects.get().file
    assert (file.name, file.size, file.sha256) == ("grand.pdf", len(TWELVE), sha256(TWELVE))
    assert opened(file) == TWELVE
    assert [listed["sha256"] for listed in values_of(application)["espace-1"]] == [sha256(TWELVE)]
    assert stored_names() == {file.storage_name}
    assert Entry.objects.get(subject=application.subject).verb == "add_evidence"


@pytest.mark.parametrize("size", [2000, PART - 1, PART, PART + 1, 2 * PART])
def test_files_of_every_length_come_whole(application, size):
    content = pdf(size)
    upload = start(application, content)
    assert upload.count == len(parts_of(content))
    send(upload, content)
    finish(upload)
    assert opened(StoredFile.objects.get()) == content


def test_a_part_that_comes_twice_is_kept_once(application, django_capture_on_commit_callbacks):
    upload = start(application, TWELVE)
    with django_capture_on_commit_callbacks(execute=True):
        send(upload, TWELVE, 1, 1, 1)
    assert UploadPart.objects.count() == 1
    assert stored_names() == referred_to()


def test_a_part_that_comes_again_with_other_bytes_takes_the_place_of_the_former(
    application, django_capture_on_commit_callbacks
):
    upload, other = start(application, TWELVE), TWELVE[: PART + 10] + b"y" + TWELVE[PART + 11 :]
    with django_capture_on_commit_callbacks(execute=True):
        send(upload, TWELVE, 0, 1, 2)
        send(upload, other, 1)
    assert stored_names() == referred_to()
    finish(upload)
    assert opened(StoredFile.objects.get()) == other


def test_two_attempts_at_a_part_never_share_a_key(application, django_capture_on_commit_callbacks):
    """The same key and nonce for other bytes would tell what they differ in."""
    upload = start(application, TWELVE)
    sealed = []
    for content in (TWELVE, TWELVE[:-1] + b"\r"):
        with django_capture_on_commit_callbacks():  # both are looked at: nothing is discarded
            send(upload, content, 2)
        sealed.append(Path(default_storage.path(UploadPart.objects.get().storage_name)).read_bytes())
    one, other = ({found[at : at + 16] for at in range(60, 6000)} for found in sealed)
    assert len(one) > 5000
    assert not one & other


@pytest.mark.parametrize("rank", [3, 4, 100])
def test_a_part_that_the_file_does_not_have_is_refused(application, rank):
    upload = start(application, TWELVE)
    with pytest.raises(Refused, match="ne figure pas"):
        arrivals.receive(upload, rank=rank, pieces=[b"x"], by=upload.started_by, at=timezone.now())
    assert not stored_names()


@pytest.mark.parametrize(("rank", "more"), [(0, 1), (1, 1), (2, 1), (2, PART)])
def test_a_part_that_is_too_long_is_refused_without_being_read_further(application, rank, more):
    upload, read = start(application, TWELVE), []

    def endless():
        for piece in pieces(parts_of(TWELVE)[rank] + bytes(more)):
            read.append(len(piece))
            yield piece

    with pytest.raises(Refused, match="plus longue"):
        arrivals.receive(upload, rank=rank, pieces=endless(), by=upload.started_by, at=timezone.now())
    assert sum(read) <= upload.length_of(rank) + 64 * 1024
    assert not stored_names()


def test_a_part_cut_short_leaves_nothing_and_may_come_again(application):
    upload = start(application, TWELVE)
    with pytest.raises(arrivals.CutShort):
        arrivals.receive(upload, rank=0, pieces=[TWELVE[:1000]], by=upload.started_by, at=timezone.now())
    assert not stored_names()
    send(upload, TWELVE)
    finish(upload)
    assert Evidence.objects.exists()


def test_a_first_part_that_is_not_the_one_announced_is_refused(application):
    upload = start(application, TWELVE)
    with pytest.raises(Refused, match="a changé"):
        send(upload, b"z" + TWELVE[1:], 0)
    assert not stored_names()


def test_a_fault_while_a_part_is_noted_leaves_no_bytes(application):
    upload = start(application, TWELVE)
    break_inserts_into(UploadPart)
    with pytest.raises(DatabaseError, match="fault"):
        send(upload, TWELVE, 0)
    assert not stored_names()


def test_a_disk_that_fails_leaves_nothing(application, monkeypatch):
    upload = start(application, TWELVE)

    def full(*_):
        raise OSError("disk full")

    monkeypatch.setattr("evidence.storage.os.fsync", full)
    with pytest.raises(StoreDown, match="disk full"):
        send(upload, TWELVE, 0)
    assert not UploadPart.objects.exists()
    assert not stored_names()


# --- what a part is sealed with -----------------------------------------------------------------------------------
def test_a_stored_part_opens_in_its_own_place_only(application):
    content = pdf(2 * PART)
    upload, other = start(application, content), start(application, content, name="autre.pdf")
    send(upload, content, 0, 1)
    first, _last = UploadPart.objects.order_by("rank")
    with vault.joined([(first.storage_name, upload.context_of(0))]) as spool:
        assert spool.reader().read() == content[:PART]
    places = (upload.context_of(1), other.context_of(0), b"", upload.context_of(0).replace(b"not ", b""))
    for context in places:
        with pytest.raises(CannotOpen):
            vault.joined([(first.storage_name, context)])


def test_stored_parts_that_were_swapped_do_not_make_a_file(application, caplog):
    content = pdf(2 * PART)
    upload = start(application, content)
    send(upload, content)
    one, two = (Path(default_storage.path(part.storage_name)) for part in UploadPart.objects.order_by("rank"))
    first, last = one.read_bytes(), two.read_bytes()
    one.write_bytes(last)
    two.write_bytes(first)
    with pytest.raises(NotNow, match="a expiré"):
        finish(upload)
    assert "cannot be opened" in caplog.text
    assert not Evidence.objects.exists()
    assert not Upload.objects.exists()


def test_no_plain_byte_of_a_part_touches_the_disk(application, settings, tmp_path, monkeypatch):
    canary = b"PREUVE-SECRETE-7f3a" * 3
    spools = tmp_path / "spools"
    spools.mkdir()
    settings.FILE_UPLOAD_TEMP_DIR = str(spools)
    written = []

    class Watched(io.BytesIO):
        def write(self, data):
            written.append(bytes(data))
            return super().write(data)

    monkeypatch.setattr("evidence.vault.TemporaryFile", lambda **_: Watched())
    content = pdf(PART + 300_000, line=canary.decode())
    content = content[:PART] + content[PART:].replace(b"x" * 200, canary + b"x" * (200 - len(canary)), 1)
    assert content.count(canary) == 2
    upload = start(application, content)
    send(upload, content)
    on_their_way = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(on_their_way) >= 2
    finish(upload)
    assert sum(map(len, written)) > 2 * len(content)
    assert canary not in b"".join(written)
    assert not list(spools.iterdir())
    for found in [*on_their_way, *(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())]:
        assert canary not in found


def test_49_megabytes_in_parts_pass_in_little_memory(db, tmp_path):
    size = 49 * MEGABYTE
    source = tmp_path / "conteneur.zed"
    source.write_bytes(zed_bytes(size))
    application = dossier_with({"formats": ["zed"], "max_megabytes": 49})
    with source.open("rb") as file:
        first = sha256(file.read(PART))
    announced = {"name": "conteneur.zed", "size": size, "first_sha256": first}
    given = {"by": application.referent, "at": timezone.now()}
    tracemalloc.start()
    try:
        upload = arrivals.start(application, space_of(application), **announced, **given)
        with source.open("rb") as file:
            for rank in range(upload.count):
                length = upload.length_of(rank)
                read = (file.read(min(64 * 1024, length - at)) for at in range(0, length, 64 * 1024))
                arrivals.receive(upload, rank=rank, pieces=read, **given)
        arrivals.finish(upload, **given)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert StoredFile.objects.get().sha256 == sha256(source.read_bytes())
    assert peak < 16 * MEGABYTE


# --- what may be announced ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("announced", "said"),
    [
        ({"name": "programme.exe"}, "n’est pas autorisé"),
        ({"name": "../RIB.pdf"}, "barre oblique"),
        ({"size": 0}, "est vide"),
        ({"size": 49 * MEGABYTE + 1}, "dépasse 49"),
    ],
)
def test_what_may_not_enter_is_refused_before_any_byte(application, announced, said):
    with pytest.raises(Refused, match=said):
        start(application, TWELVE, **announced)
    assert not Upload.objects.exists()


def test_a_full_space_takes_no_announcement(application):
    for n in range(3):
        put_in(application, pdf(line=str(n)))
    with pytest.raises(Refused, match="déjà 3"):
        start(application, TWELVE)


def test_a_place_taken_meanwhile_refuses_the_file_at_the_end(application, django_capture_on_commit_callbacks):
    upload = start(application, TWELVE)
    send(upload, TWELVE)
    for n in range(3):
        put_in(application, pdf(line=str(n)))
    with django_capture_on_commit_callbacks(execute=True), pytest.raises(Refused, match="déjà 3"):
        finish(upload)
    assert not Upload.objects.exists()
    assert stored_names() == referred_to()


def test_a_few_at_once_in_a_dossier(application):
    for n in range(arrivals.MOST_AT_ONCE):
        start(application, TWELVE, name=f"{n}.pdf")
    with pytest.raises(Refused, match="déjà en cours"):
        start(application, TWELVE, name="de trop.pdf")
    assert start(application, TWELVE, name="0.pdf")  # the same again goes on
    arrivals.give_up(Upload.objects.first(), by=application.referent)
    assert start(application, TWELVE, name="de trop.pdf")


def test_a_hidden_space_takes_no_announcement(db):
    application = dossier_with(LARGE | {"shown_if": {"espace-2": ["non"]}}, {"kind": "text"})
    with pytest.raises(NotNow, match="n’est pas demandé"):
        start(application, TWELVE)
    write_answer(application, space_of(application, "espace-2"), "non")
    assert start(application, TWELVE)


def test_what_a_former_referent_left_on_its_way_does_not_hold_the_next_one_back(application):
    for n in range(arrivals.MOST_AT_ONCE):
        start(application, TWELVE, name=f"{n}.pdf")
    heir = UserFactory(establishment=application.establishment)
    Application.objects.filter(pk=application.pk).update(referent=heir)
    application = Application.objects.get(pk=application.pk)
    assert start(application, TWELVE, name="le-mien.pdf").started_by == heir
