"""The vault in a folder or in an object store, and what goes wrong with either."""

import os
import resource
import subprocess
import uuid
from contextlib import contextmanager

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from deploy.object_store import ObjectStore
from ecare.storage_address import storage_of

ANSWERING = 1  # seconds; production waits longer
MEGABYTE = 1024 * 1024


def use_bucket(settings, server: ObjectStore, bucket: str, **changes) -> None:
    given = {"access_key": server.access_key, "secret_key": server.secret_key, "authorities": ""} | changes
    found = storage_of(server.address(bucket), **given)
    found["OPTIONS"]["answering"] = ANSWERING
    settings.STORAGES = settings.STORAGES | {"default": found}


def use_folder(settings, folder) -> None:
    found = storage_of(f"file://{folder}", access_key="", secret_key="", authorities="")
    settings.STORAGES = settings.STORAGES | {"default": found}


@pytest.fixture(scope="session")
def object_store(tmp_path_factory):
    """One server for all tests of a process, a bucket for each."""
    with ObjectStore(tmp_path_factory.mktemp("object-store")) as server:
        yield server


@pytest.fixture
def bucket(settings, object_store) -> str:
    """The vault of this test lies in a bucket of its own."""
    name = f"vault-{uuid.uuid4().hex}"
    object_store.make_bucket(name)
    use_bucket(settings, object_store, name)
    return name


@pytest.fixture(params=["folder", "bucket"])
def store(request):
    """Either of the two."""
    if request.param == "bucket":
        request.getfixturevalue("bucket")
    return request.param


@pytest.fixture
def own_store(settings, tmp_path):
    """An object store that a test may kill and freeze."""
    with ObjectStore(tmp_path / "own-store") as server:
        server.make_bucket("vault")
        use_bucket(settings, server, "vault")
        yield server
        server.thaw()


# --- disks --------------------------------------------------------------------------------------------------------
@contextmanager
def small_disk(folder, *, is_read_only: bool = False):
    """A folder where a file of 24 MiB finds no room, or none at all: a disk of its own where root may mount one, else
    the limit that the system sets to the size of a file, or the folder's rights."""
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        options = "size=3m,ro" if is_read_only else "size=3m"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=True, timeout=10)
        try:
            yield folder
        finally:
            subprocess.run(["umount", "-l", folder], check=True, timeout=10)
    elif is_read_only:
        folder.chmod(0o500)
        yield folder
        folder.chmod(0o700)
    else:
        former = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20 * MEGABYTE, former[1]))
        yield folder
        resource.setrlimit(resource.RLIMIT_FSIZE, former)


def put_raw(name: str, content: bytes) -> None:
    """In storage, as a broken disk would have it: under this very name, whatever was there."""
    default_storage.delete(name)
    default_storage.save(name, ContentFile(content))


def raw(name: str) -> bytes:
    with default_storage.open(name) as file:
        return file.read()
