"""Storage that does not answer, refuses or is full: a page that says so, no row, nothing half written, and everything
goes on once it is back."""

import os
import threading
import time

import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.urls import reverse

from applications.models import values_of
from demo.specimens import pdf
from evidence import vault
from evidence.models import Evidence, StoredFile, Upload, UploadPart
from evidence.storage import StoreDown
from exports import builders
from exports.actions import of_dossier
from exports.models import Export
from tests.evidence.arriving import LARGE, TWELVE, opened, parts_of
from tests.evidence.arriving import send as send_parts
from tests.evidence.arriving import start as announce
from tests.evidence.conftest import assert_no_orphan, dossier_with, put_in, stored_names, transmit, upload
from tests.factories import UserFactory
from tests.stores import MEGABYTE, raw, small_disk, use_bucket, use_folder

SCRIPT = {"headers": {"Accept": "application/json"}}
RAW = "application/octet-stream"
SENTENCE = "Le dépôt des fichiers ne répond pas"


def no_bucket(settings, server):
    use_bucket(settings, server, "elsewhere")


def wrong_key(settings, server):
    use_bucket(settings, server, "vault", secret_key="x" * 40)


def unknown_key(settings, server):
    use_bucket(settings, server, "vault", access_key="AKIAX" + "X" * 15)


def killed(settings, server):
    server.kill()


def frozen(settings, server):
    server.freeze()


@pytest.fixture(params=[no_bucket, wrong_key, unknown_key, killed, frozen])
def fails(request, settings, own_store):
    """Call it, and the store is down."""
    return lambda: request.param(settings, own_store)


def assert_said(answer):
    assert answer.status_code == 503
    is_for_a_script = answer["Content-Type"] == "application/json"
    assert SENTENCE.lower() in (answer.json()["message"] if is_for_a_script else answer.text).lower()
    assert answer["Retry-After"] == "120"
    assert "Content-Security-Policy" in answer


# --- every page that touches a file -------------------------------------------------------------------------------
def test_a_deposit_is_not_taken_and_says_so(application, fails, signed_in, caplog):
    """Protection: `StoreDownMiddleware`. Without it the test client raises what would be a trace."""
    client = signed_in(application.referent)
    fails()
    began = time.monotonic()
    address = reverse("evidence:add", args=[application.reference])
    assert_said(client.post(address, {"_page": "1", "espace-1": upload()}))
    assert time.monotonic() - began < 15
    answer = client.post(address, {"espace-1": upload()}, **SCRIPT)
    assert_said(answer)
    assert answer["Content-Type"] == "application/json"
    assert not StoredFile.objects.exists() and not Evidence.objects.exists()
    assert not values_of(application).get("espace-1")
    assert "storage is down" in caplog.text
    assert "secret" not in caplog.text and "x" * 40 not in caplog.text


def test_a_download_says_so_and_is_not_noted(application, fails, signed_in):
    evidence = put_in(application)
    client = signed_in(application.referent)
    fails()
    for name in ("download", "preview"):
        assert_said(client.get(reverse(f"evidence:{name}", args=[evidence.file_id])))


def test_what_was_typed_beside_the_file_is_kept(db, own_store, signed_in):
    application = dossier_with({}, {"kind": "text", "key": "nom"})
    own_store.kill()
    data = {"_page": "1", "nom": "Camille", "espace-1": upload()}
    assert_said(signed_in(application.referent).post(reverse("evidence:add", args=[application.reference]), data))
    assert values_of(application)["nom"] == "Camille"


def test_a_file_taken_out_is_out_even_if_its_bytes_cannot_go(
    application, own_store, signed_in, django_capture_on_commit_callbacks
):
    """Protection: `vault.discard` leaves to the sweep what it cannot delete. Else a page would say that nothing was
    done when all was."""
    evidence = put_in(application)
    client = signed_in(application.referent)
    own_store.freeze()
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(reverse("evidence:remove", args=[evidence.file_id]))
    assert answer.status_code == 302
    own_store.thaw()
    assert not StoredFile.objects.exists() and len(stored_names()) <= 1
    call_command("sweep_vault", hours=0)
    assert not stored_names()


# --- in parts -----------------------------------------------------------------------------------------------------
def test_a_file_in_parts_goes_on_once_the_store_is_back(db, own_store, signed_in, django_capture_on_commit_callbacks):
    """The first part had come; the second finds a frozen store, and so does the end."""
    application = dossier_with(LARGE)
    client = signed_in(application.referent)
    upload = announce(application, TWELVE)
    send_parts(upload, TWELVE, 0)

    def push(rank):
        address = reverse("evidence:receive_part", args=[upload.pk, rank])
        return client.post(address, parts_of(TWELVE)[rank], content_type=RAW, **SCRIPT)

    own_store.freeze()
    assert_said(push(1))
    assert [part.rank for part in upload.parts.all()] == [0]
    own_store.thaw()
    assert [push(rank).status_code for rank in (1, 2)] == [200, 200]
    own_store.freeze()
    end = reverse("evidence:finish_upload", args=[upload.pk])
    assert_said(client.post(end, **SCRIPT))
    assert UploadPart.objects.count() == 3 and not Evidence.objects.exists()
    own_store.thaw()
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(end, **SCRIPT).status_code == 200
    assert opened(Evidence.objects.get().file) == TWELVE
    call_command("sweep_vault", hours=0)  # what the frozen store did when it woke up
    assert_no_orphan()


# --- in the middle ------------------------------------------------------------------------------------------------
def at_the_second_part(happens):
    """Of a write in parts."""
    seen = []

    def note(**_):
        seen.append(1)
        if len(seen) == 2:
            happens()

    default_storage.connection.meta.client.meta.events.register("before-call.s3.UploadPart", note)


@pytest.mark.parametrize("how", ["kill", "freeze"])
def test_a_store_that_dies_in_the_middle_of_a_write(own_store, how):
    with vault.sealed([os.urandom(20 * MEGABYTE)]) as spool:
        at_the_second_part(getattr(own_store, how))
        began = time.monotonic()
        with pytest.raises(StoreDown):
            vault.keep(spool)
    assert time.monotonic() - began < 15
    if how == "freeze":
        own_store.thaw()
        assert all(name.endswith(".part") for name in vault.names())


def test_a_store_that_dies_in_the_middle_of_a_download_breaks_it_off(db, own_store, signed_in):
    """Never a shorter file that passes for whole: the announced length is not reached."""
    application = dossier_with(LARGE)
    evidence = put_in(application, content=TWELVE)
    answer = signed_in(application.referent).get(reverse("evidence:download", args=[evidence.file_id]))
    pieces = iter(answer.streaming_content)
    assert TWELVE.startswith(next(pieces))
    own_store.kill()
    with pytest.raises(StoreDown):
        list(pieces)
    answer.close()


def test_a_store_that_is_back_in_time_breaks_no_download(db, own_store, signed_in):
    """Protection: each range is a request of its own. One answer for all would break with the connection."""
    application = dossier_with(LARGE)
    evidence = put_in(application, content=TWELVE)
    name = evidence.file.storage_name
    sealed = raw(name)
    answer = signed_in(application.referent).get(reverse("evidence:download", args=[evidence.file_id]))
    pieces = iter(answer.streaming_content)
    got = [next(pieces)]
    own_store.kill()
    own_store.start()  # with another key and nothing in it: this server forgets
    own_store.make_bucket("vault")
    own_store.client.put_object(Bucket="vault", Key=name, Body=sealed)
    default_storage.access_key, default_storage.secret_key = own_store.access_key, own_store.secret_key
    default_storage._connections = threading.local()
    assert b"".join([*got, *pieces]) == TWELVE


def test_an_export_waits_for_the_store(application, own_store):
    put_in(application)
    transmit(application)
    agent = UserFactory(ans=True)
    export = of_dossier(Export.Kind.DOSSIER_ZIP, application, by=agent, at=application.created_at)
    own_store.freeze()
    builders.build()
    own_store.thaw()
    export = Export.objects.get(pk=export.pk)
    assert export.state == Export.State.BUILDING and export.lease is None and not export.storage_name
    builders.build(export.leased_until)
    assert Export.objects.get(pk=export.pk).state == Export.State.READY


# --- a folder -----------------------------------------------------------------------------------------------------
def too_large() -> bytes:
    return pdf(24 * MEGABYTE)


@pytest.mark.parametrize("is_read_only", [False, True])
def test_a_full_or_read_only_disk_takes_nothing(db, settings, tmp_path, signed_in, is_read_only):
    """Protection: a fault of the disk is told as StoreDown, and the draft is deleted."""
    application = dossier_with(LARGE)
    with small_disk(tmp_path / "disk", is_read_only=is_read_only) as folder:
        use_folder(settings, folder)
        address = reverse("evidence:add", args=[application.reference])
        assert_said(signed_in(application.referent).post(address, {"espace-1": upload(too_large())}, **SCRIPT))
        assert not stored_names()
        with pytest.raises(StoreDown):
            vault.keep(vault.sealed([too_large()]))
        if is_read_only:
            with pytest.raises(StoreDown):
                default_storage.check()
    assert not StoredFile.objects.exists()


def test_a_full_disk_takes_no_part_and_the_rest_stays(db, settings, tmp_path, signed_in):
    application = dossier_with(LARGE)
    with small_disk(tmp_path / "disk") as folder:
        use_folder(settings, folder)
        upload = announce(application, TWELVE)
        if os.statvfs(folder).f_blocks * os.statvfs(folder).f_frsize > 5 * MEGABYTE:
            pytest.skip("a part finds room here")
        address = reverse("evidence:receive_part", args=[upload.pk, 0])
        client = signed_in(application.referent)
        assert_said(client.post(address, parts_of(TWELVE)[0], content_type=RAW, **SCRIPT))
        assert not stored_names() and Upload.objects.filter(pk=upload.pk).exists()


def test_a_disk_that_is_not_mounted_is_no_empty_vault(application, settings, tmp_path, signed_in):
    """Protection: `creates_folder=False`. Else files would be written beside the vault, and all others called lost."""
    evidence = put_in(application)
    use_folder(settings, tmp_path / "not-mounted")
    client = signed_in(application.referent)
    assert_said(client.get(reverse("evidence:download", args=[evidence.file_id])))
    assert_said(client.post(reverse("evidence:add", args=[application.reference]), {"espace-1": upload()}, **SCRIPT))
    for ask in (default_storage.check, lambda: list(vault.names())):
        with pytest.raises(StoreDown, match="is not there"):
            ask()
    assert not (tmp_path / "not-mounted").exists()


@pytest.mark.parametrize("name", ["evidence:add", "evidence:remove"])
def test_no_room_for_what_is_being_received(db, settings, tmp_path, signed_in, name):
    """The body is read by the view (`add`) or by the check of the token (`remove`)."""
    application = dossier_with(LARGE)
    evidence = put_in(application)
    client = signed_in(application.referent)
    client.handler.enforce_csrf_checks = True
    client.get(reverse("applications:detail", args=[application.reference]))
    with small_disk(tmp_path / "disk") as folder:
        settings.FILE_UPLOAD_TEMP_DIR = str(folder)
        address = reverse(name, args=[application.reference if name == "evidence:add" else evidence.file_id])
        token = client.cookies["csrftoken"].value
        data = {"_page": "1", "csrfmiddlewaretoken": token, "espace-1": upload(too_large())}
        assert_said(client.post(address, data))
    assert StoredFile.objects.get() == evidence.file
    assert_no_orphan()
