"""A minimal writer of OLE2 compound files: enough to look like a ZED container, whose format is proprietary.

Layout: MS-CFB, version 3, sectors of 512 bytes; one root, one stream of at least 4,096 bytes (smaller ones would
need the mini stream).
"""

import struct
from uuid import UUID

ZED_CLSID = UUID("00000FE0-8804-4CA8-8868-36F59DEFD14D")
ZED_STREAM = "5haaaaqaIekzeecnWj31zxh0Nc"

SECTOR, SMALLEST_STREAM = 512, 4096
FREE, END, FAT, DIFAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFC
IN_HEADER, PER_FAT, PER_DIFAT = 109, 128, 127
STREAM, ROOT = 2, 5


def zed_bytes(size: int = 0, *, clsid: UUID = ZED_CLSID, stream: str = ZED_STREAM) -> bytes:
    """A container that passes for a ZED, of at least `size` bytes; nothing in it is encrypted."""
    content = b"specimen" * (max(SMALLEST_STREAM, size) // 8 + 1)
    return compound(content, clsid=clsid, stream=stream)


def compound(content: bytes, *, clsid: UUID, stream: str) -> bytes:
    """Header, directory, stream, allocation tables, in this order."""
    data = -(-len(content) // SECTOR)
    tables, lists = _table_sizes(1 + data)
    first_table = 1 + data
    chain = [END, *range(2, data + 1), END]  # the directory, then the stream
    chain += [FAT] * tables + [DIFAT] * lists
    chain += [FREE] * (tables * PER_FAT - len(chain))
    places = list(range(first_table, first_table + tables))
    header = _header(places, tables, lists, first_list=first_table + tables)
    return (
        header
        + _directory(clsid, stream, len(content))
        + content.ljust(data * SECTOR, b"\0")
        + struct.pack(f"<{len(chain)}I", *chain)
        + _lists(places[IN_HEADER:], lists, first=first_table + tables)
    )


def _table_sizes(used: int) -> tuple[int, int]:
    """How many sectors the table takes, counting itself, and how many list what does not fit into the header."""
    tables = lists = 0
    while True:
        needed = -(-(used + tables + lists) // PER_FAT)
        needed_lists = -(-max(0, needed - IN_HEADER) // PER_DIFAT)
        if (needed, needed_lists) == (tables, lists):
            return tables, lists
        tables, lists = needed, needed_lists


def _header(places: list[int], tables: int, lists: int, *, first_list: int) -> bytes:
    start = struct.pack("<8s16xHHHHH6x", bytes.fromhex("D0CF11E0A1B11AE1"), 0x3E, 3, 0xFFFE, 9, 6)
    middle = struct.pack("<9I", 0, tables, 0, 0, SMALLEST_STREAM, END, 0, first_list if lists else END, lists)
    listed = (places + [FREE] * IN_HEADER)[:IN_HEADER]
    return start + middle + struct.pack(f"<{IN_HEADER}I", *listed)


def _lists(places: list[int], count: int, *, first: int) -> bytes:
    out = b""
    for rank in range(count):
        listed = (places[rank * PER_DIFAT : (rank + 1) * PER_DIFAT] + [FREE] * PER_DIFAT)[:PER_DIFAT]
        following = first + rank + 1 if rank + 1 < count else END
        out += struct.pack(f"<{PER_DIFAT + 1}I", *listed, following)
    return out


def _directory(clsid: UUID, stream: str, size: int) -> bytes:
    """One sector of four entries: the root, the stream, two unused."""
    root = _entry("Root Entry", ROOT, child=1, clsid=clsid, first=END)
    return root + _entry(stream, STREAM, first=1, size=size) + 2 * _entry("", 0)


def _entry(
    name: str, kind: int, *, child: int = FREE, clsid: UUID | None = None, first: int = 0, size: int = 0
) -> bytes:
    encoded = name.encode("utf-16-le")
    length = len(encoded) + 2 if name else 0
    identity = clsid.bytes_le if clsid else bytes(16)
    return struct.pack("<64sHBBIII16sI16xIQ", encoded, length, kind, 1, FREE, FREE, child, identity, 0, first, size)
