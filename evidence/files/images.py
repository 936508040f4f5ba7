"""Scans and photos: jpg and png, read by their structure alone."""

import struct
import zlib

from evidence.files.refusal import damaged

_PNG = b"\x89PNG\r\n\x1a\n"
_MAX_CHUNKS = 100_000


def check_png(file) -> None:
    """The signature, then chunks from IHDR to IEND. Raises Refused."""
    size = file.seek(0, 2)
    file.seek(0)
    if file.read(8) != _PNG:
        raise damaged()
    position = 8
    for rank in range(_MAX_CHUNKS):
        file.seek(position)
        header = file.read(8)
        if len(header) < 8:
            break
        length, kind = struct.unpack(">L4s", header)
        position += 12 + length
        if position > size or (rank == 0) != (kind == b"IHDR"):
            break
        if rank == 0:
            body = file.read(length + 4)
            if length != 13 or zlib.crc32(kind + body[:-4]) != int.from_bytes(body[-4:], "big"):
                break
        if kind == b"IEND":
            return
    raise damaged()


def check_jpg(file) -> None:
    """Start of image, segments up to a scan with a frame before it, an end of image after it. Raises Refused."""
    file.seek(0)
    if file.read(2) != b"\xff\xd8":
        raise damaged()
    position, has_frame = 2, False
    for _ in range(_MAX_CHUNKS):
        file.seek(position)
        marker = file.read(4)
        if len(marker) < 4 or marker[0] != 0xFF:
            break
        if marker[1] == 0xFF:  # a fill byte
            position += 1
            continue
        has_frame |= 0xC0 <= marker[1] <= 0xCF and marker[1] not in (0xC4, 0xC8, 0xCC)
        position += 2 + int.from_bytes(marker[2:], "big")
        if marker[1] == 0xDA:
            if has_frame and _has_end(file, position):
                return
            break
    raise damaged()


def _has_end(file, position: int) -> bool:
    file.seek(position)
    last = b""
    while piece := file.read(64 * 1024):
        if b"\xff\xd9" in last + piece:
            return True
        last = piece[-1:]
    return False
