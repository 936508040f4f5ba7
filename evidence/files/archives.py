"""The guard before any unzip: docx, xlsx and zip files are archives that a stranger made."""

import stat
import struct
import unicodedata
import zlib
from collections.abc import Iterator
from zipfile import BadZipFile, ZipFile, ZipInfo

from evidence.files.refusal import Refused, archive_bomb, damaged, locked, odd_archive

MAX_ENTRIES = 2000
MAX_DIRECTORY = 512 * 1024
MAX_UNPACKED = 200 * 1024 * 1024
MAX_DEPTH = 2  # a sheet within a document within the archive
SUSPECT_SIZE, MAX_RATIO = 10 * 1024 * 1024, 100  # XML shrinks a lot, but a large file 100 times is no document
START, END_RECORD = b"PK\x03\x04", b"PK\x05\x06"
_STORED, _DEFLATED = 0, 8
_PIECE = 64 * 1024


class Budget:
    """How much one upload may unpack, its nested archives included."""

    def __init__(self):
        self.entries, self.bytes = MAX_ENTRIES, MAX_UNPACKED

    def take(self, *, entries: int = 0, count: int = 0) -> None:
        self.entries -= entries
        self.bytes -= count
        if self.entries < 0 or self.bytes < 0:
            raise archive_bomb()


def end_record(file) -> tuple[int, tuple] | None:
    """Where the archive's end record stands and what it says; None when the file does not end as an archive."""
    size = file.seek(0, 2)
    start = max(0, size - 22 - 0xFFFF)
    file.seek(start)
    tail = file.read()
    found = tail.rfind(END_RECORD)
    if found < 0 or len(tail) - found < 22:
        return None
    fields = struct.unpack("<4s4H2LH", tail[found : found + 22])
    return (start + found, fields) if found + 22 + fields[7] == len(tail) else None


def entries_of(file, budget: Budget) -> list[ZipInfo]:
    """The entries, once the archive's structure is known to be sound. Raises Refused."""
    file.seek(0)
    record = end_record(file) if file.read(4) == START else None
    if record is None:
        raise damaged()
    position, (_, disk, directory_disk, here, count, length, offset, _) = record
    if disk or directory_disk or here != count or count == 0xFFFF or offset + length != position:
        raise odd_archive()
    if length > MAX_DIRECTORY or count > MAX_ENTRIES:
        raise archive_bomb()
    try:
        found = ZipFile(file).infolist()
    except (BadZipFile, NotImplementedError, ValueError, EOFError, struct.error) as error:
        raise damaged() from error
    if len(found) != count or not found:
        raise odd_archive()
    budget.take(entries=count)
    _check_entries(file, found, end=offset)
    return found


def _check_entries(file, found: list[ZipInfo], *, end: int) -> None:
    packed, unpacked = sum(e.compress_size for e in found), sum(e.file_size for e in found)
    if unpacked > MAX_UNPACKED or (unpacked > SUSPECT_SIZE and unpacked > MAX_RATIO * packed):
        raise archive_bomb()
    if len({unicodedata.normalize("NFC", e.filename).casefold() for e in found}) != len(found):
        raise odd_archive()
    ordered = sorted(found, key=lambda e: e.header_offset)
    if ordered[0].header_offset != 0:
        raise odd_archive()
    for entry, limit in zip(ordered, [*(e.header_offset for e in ordered[1:]), end], strict=True):
        _check_name(entry)
        if entry.flag_bits & 0x2041:  # encrypted, strongly encrypted, masked headers
            raise locked()
        if entry.compress_type not in (_STORED, _DEFLATED) or stat.S_ISLNK(entry.external_attr >> 16):
            raise odd_archive()
        if data_start(file, entry) + entry.compress_size > limit:
            raise archive_bomb()  # entries that share their bytes


def _check_name(entry: ZipInfo) -> None:
    parts = entry.filename.replace("\\", "/").split("/")
    if (
        entry.filename != entry.orig_filename
        or parts[0] == ""
        or ".." in parts
        or ":" in parts[0]
        or any(unicodedata.category(character) == "Cc" for character in entry.filename)
    ):
        raise Refused(
            "Cette archive contient un nom de fichier qui sort de son dossier ou qui est illisible. "
            "Recréez-la à partir des documents d’origine, puis déposez-la à nouveau."
        )


def data_start(file, entry: ZipInfo) -> int:
    """Where an entry's bytes begin; its local header must say what the directory says."""
    file.seek(entry.header_offset)
    header = file.read(30)
    if len(header) < 30 or header[:4] != START:
        raise odd_archive()
    flags, method = struct.unpack("<HH", header[6:10])
    name_length, extra_length = struct.unpack("<HH", header[26:30])
    name = file.read(name_length).decode("utf-8" if flags & 0x800 else "cp437", "replace")
    if flags & 0x2041:
        raise locked()
    if name != entry.orig_filename or method != entry.compress_type:
        raise odd_archive()
    return entry.header_offset + 30 + name_length + extra_length


def unpacked(file, entry: ZipInfo, budget: Budget) -> Iterator[bytes]:
    """An entry's bytes in small pieces, held to the size and the sum that the archive declares. Raises Refused."""
    position, remaining = data_start(file, entry), entry.compress_size
    inflater = zlib.decompressobj(-15) if entry.compress_type == _DEFLATED else None
    count, checksum = 0, 0
    while remaining > 0:
        file.seek(position)  # whoever consumes the pieces may read the file elsewhere meanwhile
        packed = file.read(min(_PIECE, remaining))
        if not packed:
            raise damaged()
        position, remaining = position + len(packed), remaining - len(packed)
        for piece in _inflated(inflater, packed):
            count, checksum = count + len(piece), zlib.crc32(piece, checksum)
            if count > entry.file_size:
                raise archive_bomb()
            budget.take(count=len(piece))
            yield piece
    if inflater is not None and (not inflater.eof or inflater.unused_data):
        raise damaged()
    if count != entry.file_size or checksum != entry.CRC:
        raise damaged()


def _inflated(inflater, packed: bytes) -> Iterator[bytes]:
    if inflater is None:
        yield packed
        return
    while packed:
        try:
            piece = inflater.decompress(packed, 4 * _PIECE)
        except zlib.error as error:
            raise damaged() from error
        packed = inflater.unconsumed_tail
        if piece:
            yield piece
        elif inflater.eof:
            return
