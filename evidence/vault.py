"""The vault: files sealed while they arrive, kept under a random name, opened segment by segment.

A sealed file is a header, then segments of 1 MiB, each encrypted with AES-256-GCM (the STREAM construction):

    header  = "ECV1" | length of the key's name (1 byte) | key's name | salt (16 bytes) | nonce prefix (7 bytes)
    segment = ciphertext | tag (16 bytes); nonce = prefix | rank (4 bytes) | 1 for the last segment, else 0

The file's own key is derived from the named master key and the salt; the header is authenticated with each segment.
A file that was cut, lengthened, reordered or altered by one bit therefore does not open. Plain bytes never touch a
disk, and memory holds about one segment.

A part of a file on its way (5 MiB, five segments) is a sealed file too, with a key of its own at each attempt: sealed
at its place in the final file, a part sent twice with other bytes would use the same key and nonce twice. What it is a
part of, its rank and whether it is the last one are authenticated with it (`context`), though not stored in it.
"""

import io
import logging
import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from tempfile import TemporaryFile
from typing import Any, NamedTuple, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.apps import apps
from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.db.models import Model, Q

from ecare.sealing import CannotOpen, derived_key, keyring, master
from evidence.storage import UNFINISHED, StoreDown

logger = logging.getLogger(__name__)
MAGIC = b"ECV1"
SEGMENT = 1024 * 1024
TAG = 16
PART = 5 * SEGMENT
PIECE = 256 * 1024


def _file_cipher(key: bytes, salt: bytes) -> AESGCM:
    return AESGCM(derived_key(key, purpose="vault", salt=salt))


def _nonce(prefix: bytes, rank: int, *, last: bool) -> bytes:
    return prefix + rank.to_bytes(4, "big") + bytes([last])


@contextmanager
def _on_disk() -> Iterator[None]:
    """A disk that is full or fails is a storage that does not answer."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise StoreDown(error.strerror or str(error)) from error


class Spool:
    """A file being sealed, in an unnamed temporary file: if the process dies, nothing stays behind. Raises StoreDown
    where that file finds no room. `into`: an open file to seal into instead."""

    def __init__(self, *, context: bytes = b"", into=None):
        with _on_disk():
            self.file = into or TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR)  # noqa: SIM115
        self.key_name, key = next(iter(keyring().items()))
        salt, self._prefix = os.urandom(16), os.urandom(7)
        name = self.key_name.encode()
        header = MAGIC + bytes([len(name)]) + name + salt + self._prefix
        self._context, self._bound = context, header + context
        self._cipher = _file_cipher(key, salt)
        self._pending = bytearray()
        self._rank = 0
        with _on_disk():
            self.file.write(header)

    def write(self, chunk: bytes) -> None:
        self._pending += chunk
        while len(self._pending) > SEGMENT:  # a full one may still be the last, which is sealed by finish()
            self._seal(last=False)

    def finish(self) -> Self:
        self._seal(last=True)
        with _on_disk():
            self.file.flush()
        return self

    def _seal(self, *, last: bool) -> None:
        nonce = _nonce(self._prefix, self._rank, last=last)
        with _on_disk():
            self.file.write(self._cipher.encrypt(nonce, bytes(self._pending[:SEGMENT]), self._bound))
        del self._pending[:SEGMENT]
        self._rank += 1

    def reader(self) -> "SealedReader":
        """The plain bytes received; closing it leaves the spool open."""
        return SealedReader(self.file, owns=False, context=self._context)

    def close(self) -> None:
        with suppress(OSError):  # what a full disk did not take is written once more
            self.file.close()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def __del__(self):
        # An upload that breaks off leaves its spool to the garbage collector.
        if hasattr(self, "file"):
            self.close()


def sealed(chunks: Iterable[bytes], *, context: bytes = b"") -> Spool:
    """Everything that `chunks` yields, sealed."""
    spool = Spool(context=context)
    for chunk in chunks:
        spool.write(chunk)
    return spool.finish()


class SealedFile(File):
    """A named file whose plain bytes are read from a spool."""

    def __init__(self, spool: Spool, name: str):
        super().__init__(spool.reader(), name)  # type: ignore[arg-type]
        self.spool = spool


class Absent(CannotOpen):
    """Its bytes are not in storage."""


class SealedReader(io.BufferedIOBase):
    """The plain bytes of a sealed file: seekable, read-only, one segment in memory. Raises CannotOpen, or StoreDown
    where its bytes cannot be had now."""

    _owns = False

    def __init__(self, file, *, owns: bool = True, context: bytes = b""):
        self._file, self._owns, self._context = file, owns, context
        self._position = 0
        self._held: tuple[int, bytes] = (-1, b"")
        try:
            with _on_disk():
                self._read_header()
        except (CannotOpen, StoreDown):
            raise
        except Exception as error:
            raise CannotOpen from error

    def _read_header(self) -> None:
        end = self._file.seek(0, io.SEEK_END)
        self._file.seek(0)
        start = self._file.read(len(MAGIC) + 1)
        if start[:-1] != MAGIC:
            raise CannotOpen("not a sealed file")
        name = self._file.read(start[-1])
        salt, self._prefix = self._file.read(16), self._file.read(7)
        self._header = start + name + salt + self._prefix
        self._bound = self._header + self._context
        self.key_name = name.decode()
        self._cipher = _file_cipher(master(self.key_name), salt)
        body = end - len(self._header)
        self._segments = max(1, -(-body // (SEGMENT + TAG)))
        self.size = body - self._segments * TAG
        if self.size < 0:
            raise CannotOpen("cut short")

    def _segment(self, rank: int) -> bytes:
        if self._held[0] != rank:
            nonce = _nonce(self._prefix, rank, last=rank == self._segments - 1)
            try:
                plain = self._cipher.decrypt(nonce, self._sealed_segment(rank), self._bound)
            except InvalidTag as error:
                raise CannotOpen("altered") from error
            self._held = (rank, plain)
        return self._held[1]

    def _sealed_segment(self, rank: int) -> bytes:
        try:
            with _on_disk():
                self._file.seek(len(self._header) + rank * (SEGMENT + TAG))
                return self._file.read(SEGMENT + TAG)
        except FileNotFoundError as error:  # deleted while it was read, where no open file holds it
            raise Absent("missing") from error

    def read(self, size: int | None = -1, /) -> bytes:
        wanted = self.size if size is None or size < 0 else size
        parts = []
        if self.size == 0:
            self._segment(0)  # even nothing at all is authenticated
        while wanted > 0 and self._position < self.size:
            rank, offset = divmod(self._position, SEGMENT)
            part = self._segment(rank)[offset : offset + wanted]
            parts.append(part)
            self._position += len(part)
            wanted -= len(part)
        return b"".join(parts)

    def read1(self, size: int = -1, /) -> bytes:
        return self.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def tell(self) -> int:
        return self._position

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        if self._owns:
            self._file.close()
        super().close()


# --- in storage -------------------------------------------------------------------------------------------------
def new_name() -> str:
    """A random name in private storage."""
    token = secrets.token_hex(20)
    return f"{token[:2]}/{token}"


def keep(spool: Spool, *, name: str = "") -> str:
    """Put a sealed file into private storage, whole or not at all. Returns its name there: `name`, one that a row
    refers to already, or a random one. Raises StoreDown."""
    spool.file.seek(0)
    return default_storage.save(name or new_name(), File(spool.file))


def open_stored(stored) -> SealedReader:
    """The plain bytes of a StoredFile; close it after use. Raises CannotOpen when it is missing or was altered, and
    StoreDown when nobody can tell now."""
    return open_named(stored.storage_name)


def open_named(storage_name: str, *, context: bytes = b"") -> SealedReader:
    file = _open(storage_name)
    try:
        return SealedReader(file, context=context)
    except (CannotOpen, StoreDown):
        file.close()
        raise


def _open(storage_name: str):
    try:
        return default_storage.open(storage_name)
    except FileNotFoundError as error:
        raise Absent("missing") from error


def key_of(storage_name: str) -> str:
    """The name of the key that sealed it, as its header says. Raises CannotOpen when it has none."""
    with _open(storage_name) as file:
        start = file.read(len(MAGIC) + 1)
        if start[:-1] != MAGIC:
            raise CannotOpen("not a sealed file")
        return file.read(start[-1]).decode(errors="replace")


def joined(parts: Iterable[tuple[str, bytes]]) -> Spool:
    """One sealed file made of stored parts (name, context) in their order, in one pass. Raises CannotOpen."""
    spool = Spool()
    for storage_name, context in parts:
        with open_named(storage_name, context=context) as reader:
            while piece := reader.read(PIECE):
                spool.write(piece)
    return spool.finish()


def discard(storage_name: str) -> None:
    """What no row refers to any more. A storage that is down keeps it until the next sweep: the row is gone already,
    and whoever deleted it must not be told that nothing was done."""
    try:
        default_storage.delete(storage_name)
    except StoreDown as error:
        logger.warning("%s is left to the sweep: %s", storage_name, error)


def discard_unfinished(storage_name: str) -> None:
    """What a process that died may have left under a name: the whole file, or its beginning."""
    for name in (storage_name, f"{storage_name}{UNFINISHED}"):
        discard(name)


class Shelf(NamedTuple):
    """Rows that have sealed bytes in storage (`storage_name`), their digest (`sha256`) and size beside them."""

    label: str
    which: Q
    context: Callable[[Any], bytes]
    size: Callable[[Any], int]

    @property
    def model(self) -> type[Model]:
        return apps.get_model(self.label)

    @property
    def rows(self):
        return self.model._base_manager.filter(self.which).order_by("pk")

    @property
    def notes_key(self) -> bool:
        return any(field.name == "key_name" for field in self.model._meta.fields)


_SHELVES: list[Shelf] = []


def keeps(
    label: str,
    which: Q = Q(),  # noqa: B008
    *,
    context: Callable[[Any], bytes] = lambda _row: b"",
    size: Callable[[Any], int] = lambda row: row.size,
) -> None:
    """Said by a room of its own models (« evidence.StoredFile ») when it starts. `which`: the rows whose bytes are
    there."""
    _SHELVES.append(Shelf(label, which, context, size))


def shelves() -> list[Shelf]:
    return list(_SHELVES)


def names() -> Iterator[str]:
    """The names of everything that storage holds, unfinished files included. Raises StoreDown."""
    return default_storage.names()  # type: ignore[attr-defined]
