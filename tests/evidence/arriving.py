"""A file in parts, as the tests send it."""

import hashlib

from django.utils import timezone

from demo.specimens import pdf
from evidence import arrivals
from evidence.models import StoredFile, Upload, UploadPart
from evidence.vault import PART, open_stored
from tests.evidence.conftest import space_of, stored_names

MEGABYTE = 1024 * 1024
LARGE = {"max_megabytes": 49, "max_files": 3}


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def parts_of(content: bytes) -> list[bytes]:
    return [content[at : at + PART] for at in range(0, len(content), PART)]


def start(application, content, name="grand.pdf", **given) -> Upload:
    announced = {"name": name, "size": len(content), "first_sha256": sha256(content[:PART])}
    announced |= {"by": application.referent, "at": timezone.now()}
    space = space_of(application, given.pop("key", "espace-1"))
    return arrivals.start(application, space, **(announced | given))


def send(upload, content, *ranks, **given):
    """The parts of these ranks; all of them if none is named."""
    given = {"by": upload.started_by, "at": timezone.now()} | given
    for rank in ranks or range(upload.count):
        arrivals.receive(upload, rank=rank, pieces=pieces(parts_of(content)[rank]), **given)


def pieces(part: bytes):
    return (part[at : at + 64 * 1024] for at in range(0, len(part), 64 * 1024))


def finish(upload, **given):
    arrivals.finish(upload, **({"by": upload.started_by, "at": timezone.now()} | given))


def opened(file: StoredFile) -> bytes:
    with open_stored(file) as reader:
        return reader.read()


def referred_to() -> set[str]:
    return {name for model in (StoredFile, UploadPart) for name in model.objects.values_list("storage_name", flat=True)}


def assert_nothing_remains():
    assert not Upload.objects.exists()
    assert not StoredFile.objects.exists()
    assert not stored_names()


TWELVE = pdf(12 * MEGABYTE)
