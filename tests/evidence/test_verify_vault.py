"""`verify_vault` reads everything, names what is not as it was put in, and can be gone on with."""

import base64
import tracemalloc
from datetime import timedelta
from io import StringIO

import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from demo.specimens import pdf
from evidence.models import StoredFile
from exports.models import Export
from tests.evidence.arriving import LARGE, TWELVE, send
from tests.evidence.arriving import start as announce
from tests.evidence.conftest import dossier_with, put_in, transmit
from tests.exports.conftest import built
from tests.factories import UserFactory
from tests.stores import MEGABYTE, put_raw, raw

KEY = base64.b64encode(bytes(32)).decode()


def verify(**options) -> tuple[str, str]:
    """What it said, and what it found at fault."""
    out, err = StringIO(), StringIO()
    try:
        call_command("verify_vault", stdout=out, stderr=err, **options)
    except CommandError as error:
        return str(error), err.getvalue()
    return out.getvalue(), err.getvalue()


def several(application, count: int) -> list[StoredFile]:
    for number in range(count):
        put_in(application, content=pdf(900_000 + number), name=f"{number}.pdf")
    return list(StoredFile.objects.order_by("pk"))


@pytest.fixture
def application(db):
    return dossier_with({**LARGE, "max_files": 9})


def test_everything_is_read(application, store):
    put_in(application)
    transmit(application)
    built(Export.Kind.DOSSIER_ZIP, by=UserFactory(ans=True), what=application.reference)
    send(announce(dossier_with(LARGE), TWELVE), TWELVE, 0, 1)
    said, faults = verify()
    size = sum(file.size for file in [*StoredFile.objects.all(), *Export.objects.all()]) + 10 * MEGABYTE
    assert said == f"4 intact, {size} bytes read.\n" and not faults


def test_each_fault_is_named(application, store):
    """Protections: the seal, the digest, the size; one line for each file."""
    missing, altered, other, shorter, _sound = several(application, 5)
    default_storage.delete(missing.storage_name)
    content = bytearray(raw(altered.storage_name))
    content[-20] ^= 1
    put_raw(altered.storage_name, bytes(content))
    StoredFile.objects.filter(pk=other.pk).update(sha256="0" * 64)
    StoredFile.objects.filter(pk=shorter.pk).update(size=shorter.size - 1)
    said, faults = verify()
    assert said == "4 of 5 are missing, altered or cannot be opened."
    assert faults.splitlines() == [
        f"evidence.StoredFile {missing.pk}: missing",
        f"evidence.StoredFile {altered.pk}: altered: its seal is broken",
        f"evidence.StoredFile {other.pk}: altered: another digest than noted",
        f"evidence.StoredFile {shorter.pk}: altered: {shorter.size} bytes, {shorter.size - 1} noted",
    ]


def test_a_file_put_in_the_place_of_another_is_named(application):
    """Protection: the digest. Each opens by itself and is as long as the other: only the row tells."""
    one, other = [put_in(application, pdf(900_000, line=line), name=f"{line}.pdf").file for line in "ab"]
    mine, theirs = raw(one.storage_name), raw(other.storage_name)
    put_raw(one.storage_name, theirs)
    put_raw(other.storage_name, mine)
    assert verify()[0].startswith("2 of 2")


def test_a_lost_key_is_named(application, settings):
    [file] = several(application, 1)
    settings.VAULT_KEYS = [f"2031:{KEY}"]
    assert verify()[1] == f"evidence.StoredFile {file.pk}: its key is not there: embedded\n"


def test_a_purged_file_is_not_missed(application):
    several(application, 1)
    StoredFile.objects.update(scan=StoredFile.Scan.PURGED, storage_name="purged/x")
    assert verify()[0].startswith("0 intact")


def test_it_goes_on_where_it_stopped(application):
    files = several(application, 5)
    said, _ = verify(limit=2)
    assert said.splitlines() == [f"up to {files[1].pk}", f"2 intact, {files[0].size + files[1].size} bytes read."]
    assert verify(after=str(files[1].pk))[0].startswith("3 intact")


def test_a_day_and_a_sample(application):
    files = several(application, 4)
    StoredFile.objects.filter(pk=files[0].pk).update(created_at=files[0].created_at - timedelta(days=40))
    assert verify(since=str((files[1].created_at - timedelta(days=2)).date()))[0].startswith("3 intact")
    assert verify(sample=2)[0].startswith("2 intact")
    assert "takes a day" in verify(since="hier")[0]


def test_a_store_that_goes_away_is_told_with_where_to_go_on(db, own_store, application):
    """Protection: StoreDown is no « missing »: no file is called lost because the network is."""
    several(application, 2)
    own_store.kill()
    said, faults = verify(after="00000000-0000-0000-0000-000000000000")
    assert said.startswith("Storage is down") and "--after 00000000" in said
    assert not faults


def test_a_large_vault_takes_little_memory(application, store):
    several(application, 1)
    put_in(application, content=pdf(36 * MEGABYTE), name="36.pdf")
    tracemalloc.start()
    try:
        verify()
        assert tracemalloc.get_traced_memory()[1] < 16 * MEGABYTE
    finally:
        tracemalloc.stop()
