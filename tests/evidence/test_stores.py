"""A folder and a bucket keep the same promises: whole or not at all, found again, swept; and never an address."""

import os
import tracemalloc
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.urls import reverse

from ecare.sealing import CannotOpen
from evidence import buckets, vault
from evidence.actions import sweep
from evidence.files import Refused
from evidence.models import Evidence, StoredFile
from evidence.storage import StoreDown
from evidence.vault import SEGMENT, sealed
from exports.models import Export
from tests.evidence.arriving import LARGE, TWELVE, assert_nothing_remains, finish, send
from tests.evidence.arriving import start as announce
from tests.evidence.conftest import assert_no_orphan, dossier_with, put_in, stored_names, transmit
from tests.exports.conftest import built
from tests.factories import UserFactory
from tests.stores import MEGABYTE, put_raw, raw

NO_AGE = timedelta(0)


def kept(content: bytes) -> str:
    with sealed([content]) as spool:
        return vault.keep(spool)


def opened(name: str) -> bytes:
    with vault.open_named(name) as reader:
        return reader.read()


@pytest.mark.parametrize("size", [0, 1, SEGMENT + 1, 4 * MEGABYTE, 8 * MEGABYTE - 60, 17 * MEGABYTE])
def test_what_was_kept_opens_whole(store, size):
    content = os.urandom(size)
    name = kept(content)
    assert opened(name) == content
    assert set(vault.names()) == {name}
    assert default_storage.exists(name) and not default_storage.exists(name[:-1])


def test_a_stored_file_is_read_from_any_place(store):
    content = os.urandom(10 * MEGABYTE)
    with vault.open_named(kept(content)) as reader:
        for place in (9 * MEGABYTE, 5, 4 * MEGABYTE - 3, 10 * MEGABYTE - 1, 0):
            reader.seek(place)
            assert reader.read(300_000) == content[place : place + 300_000]


def test_what_storage_holds_is_sealed_and_drawn_at_random(store):
    canary = b"FR76 3000 1007 9412 3456 7890 185"
    one, other = kept(canary * 50_000), kept(canary * 50_000)
    assert one != other and len(one) == len("ab/") + 40
    assert canary not in raw(one)


@pytest.mark.parametrize("place", [0, 30, 100, -1])
def test_a_flipped_bit_in_storage_does_not_open(store, place):
    name = kept(os.urandom(2 * SEGMENT))
    content = bytearray(raw(name))
    content[place] ^= 1
    put_raw(name, bytes(content))
    with pytest.raises(CannotOpen):
        opened(name)


@pytest.mark.parametrize("content", [b"", b"ECV1"])
def test_an_object_that_was_cut_to_nothing_does_not_open(store, content):
    put_raw("ab/cut", content)
    with pytest.raises(CannotOpen):
        opened("ab/cut")


def test_what_is_not_there_is_said_to_be_missing(store):
    with pytest.raises(vault.Absent):
        vault.open_named("ab/absent")
    vault.discard("ab/absent")
    with pytest.raises(FileNotFoundError):
        default_storage.get_modified_time("ab/absent")


def test_nothing_has_an_address(store):
    """Protection: `NoAddress`. Without it the bucket hands out signed links that ask nobody who they are."""
    with pytest.raises(ValueError, match="no address"):
        default_storage.url(kept(b"RIB"))


def test_a_bucket_keeps_objects_private(bucket, object_store):
    """Protection: `default_acl`."""
    name = kept(b"RIB")
    grants = object_store.client.get_object_acl(Bucket=bucket, Key=name)["Grants"]
    assert [grant["Permission"] for grant in grants] == ["FULL_CONTROL"]
    assert all(grant["Grantee"]["Type"] == "CanonicalUser" for grant in grants)


# --- half written -------------------------------------------------------------------------------------------------
class Breaking(ContentFile):
    """The disk that it is read from fails after nine megabytes."""

    def read(self, size=-1):
        if self.tell() > 8 * MEGABYTE:
            raise OSError(5, "Input/output error")
        return super().read(size)


def test_a_fault_in_the_middle_leaves_nothing(store):
    """Protection: the draft is deleted, the upload in parts given up."""
    with pytest.raises(StoreDown):
        default_storage.save("ab/half", Breaking(bytes(20 * MEGABYTE)))
    assert not set(vault.names())


def begun_in_parts(server, bucket: str, name: str) -> None:
    """A process died in the middle of a write."""
    begun = server.client.create_multipart_upload(Bucket=bucket, Key=name)
    server.client.upload_part(Bucket=bucket, Key=name, UploadId=begun["UploadId"], PartNumber=1, Body=b"half")


def test_what_a_stopped_write_left_is_swept(application, bucket, object_store):
    """Protection: `names` lists what never became an object; else its parts would lie in the bucket for good."""
    there = put_in(application).file.storage_name
    begun_in_parts(object_store, bucket, "ab/half")
    assert stored_names() == {there, "ab/half.part"}
    call_command("sweep_vault")
    assert stored_names() == {there}
    assert "Uploads" not in object_store.client.list_multipart_uploads(Bucket=bucket)


def test_what_a_dead_worker_left_of_an_export_is_discarded(bucket, object_store):
    begun_in_parts(object_store, bucket, "ab/export")
    begun_in_parts(object_store, bucket, "ab/other")
    vault.discard_unfinished("ab/export")
    assert set(vault.names()) == {"ab/other.part"}


def test_orphans_are_swept_and_the_rest_stays(application, store):
    there = put_in(application).file.storage_name
    orphan = kept(b"nobody refers to it")
    assert sweep(older_than=timedelta(hours=24)) == ([], [])
    assert sweep(older_than=NO_AGE) == ([orphan], [])
    assert stored_names() == {there}


def test_a_row_without_bytes_is_named(application, store):
    file = put_in(application).file
    default_storage.delete(file.storage_name)
    assert sweep(older_than=NO_AGE) == ([], [file])


def test_a_full_listing_is_turned_page_by_page(bucket, object_store):
    for number in range(1003):
        object_store.client.put_object(Bucket=bucket, Key=f"{number % 16:02x}/{number:040x}", Body=b"")
    assert len(set(vault.names())) == 1003


# --- from the page to the page --------------------------------------------------------------------------------------
def test_a_file_goes_in_and_comes_out(application, store, signed_in, django_capture_on_commit_callbacks):
    evidence = put_in(application)
    client = signed_in(application.referent)
    answer = client.get(reverse("evidence:download", args=[evidence.file_id]))
    content = answer.getvalue()
    assert content.startswith(b"%PDF") and int(answer["Content-Length"]) == len(content) == evidence.file.size
    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("evidence:remove", args=[evidence.file_id]))
    assert not StoredFile.objects.exists() and not stored_names()


def test_a_file_comes_in_parts(db, store, signed_in, django_capture_on_commit_callbacks):
    application = dossier_with(LARGE)
    upload = announce(application, TWELVE)
    send(upload, TWELVE, 2, 0, 1)
    with django_capture_on_commit_callbacks(execute=True):
        finish(upload)
    evidence = Evidence.objects.get()
    assert opened(evidence.file.storage_name) == TWELVE
    assert_no_orphan()
    client = signed_in(application.referent)
    assert client.get(reverse("evidence:download", args=[evidence.file_id])).getvalue() == TWELVE


def test_a_refused_file_leaves_nothing(db, store, django_capture_on_commit_callbacks):
    application = dossier_with(LARGE)
    upload = announce(application, b"nothing of a PDF" * 500_000)
    send(upload, b"nothing of a PDF" * 500_000)
    refused = pytest.raises(Refused, match="son contenu est du texte")
    with django_capture_on_commit_callbacks(execute=True), refused:
        finish(upload)
    assert_nothing_remains()


def test_an_export_rests_sealed_and_is_fetched(application, store, signed_in):
    put_in(application)
    transmit(application)
    agent = UserFactory(ans=True)
    export = built(Export.Kind.DOSSIER_ZIP, by=agent, what=application.reference)
    assert raw(export.storage_name).startswith(b"ECV1")
    answer = signed_in(agent).get(reverse("exports:download", args=[export.number]))
    assert answer.getvalue().startswith(b"PK")


def test_a_large_object_is_read_in_little_memory(bucket):
    """Protection: ranges. Read whole, 60 MB would stand in memory (and in a temporary file)."""
    name = kept(os.urandom(60 * MEGABYTE))
    tracemalloc.start()
    try:
        with vault.open_named(name) as reader:
            read = sum(len(piece) for piece in iter(lambda: reader.read(256 * 1024), b""))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert read == 60 * MEGABYTE
    assert peak < 16 * MEGABYTE


def test_a_write_that_arrives_altered_is_refused_by_the_store(bucket, object_store):
    """Protection: `ContentMD5` goes with each write. This server does not compare it: it is looked at on its way."""
    sent = []
    client = default_storage.connection.meta.client
    client.meta.events.register(
        "before-call.s3", lambda model, params, **_: sent.append((model.name, params["headers"]))
    )
    kept(os.urandom(9 * MEGABYTE))
    kept(b"small")
    written = [headers for name, headers in sent if name in ("PutObject", "UploadPart")]
    assert len(written) == 3 and all(headers["Content-MD5"] for headers in written)


def test_only_one_asks_a_silent_store(bucket):
    line = buckets.Line()
    with pytest.raises(buckets.Silent), line.taken():
        raise buckets.Silent
    line.PATIENCE = 0
    line._turn = OfAnother()
    with pytest.raises(StoreDown), line.taken():
        pytest.fail("asked")


class OfAnother:
    def acquire(self, *, timeout):
        return False


def test_a_wrong_bucket_is_never_a_missing_file(settings, object_store, bucket):
    """Protection: « no such bucket » is told apart from « no such object »: else all files would be called lost."""
    name = kept(b"RIB")
    object_store.client.delete_object(Bucket=bucket, Key=name)
    object_store.client.delete_bucket(Bucket=bucket)
    for ask in (vault.open_named, default_storage.exists, lambda _: list(vault.names()), default_storage.delete):
        with pytest.raises(StoreDown, match="NoSuchBucket"):
            ask(name)


def test_the_server_of_the_tests_checks_signatures(object_store):
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        object_store._client("s3", object_store.access_key, "x" * 40).list_buckets()
