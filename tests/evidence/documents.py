"""Files made by other programs, pictures, and the parts from which hostile files are made."""

import io
import struct
import zipfile
import zlib
from pathlib import Path

from demo.specimens import WORD, archive, content_types

SAMPLES = Path(__file__).parent / "samples"
MACRO_WORD = "application/vnd.ms-word.document.macroEnabled.main+xml"


def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def png(width: int = 8, after: bytes = b"") -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data))

    rows = zlib.compress(b"\0" * (width + 1) * width)
    header = struct.pack(">LLBBBBB", width, width, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"") + after


def jpg() -> bytes:
    return sample("photo.jpg")


# --- bombs ----------------------------------------------------------------------------------------------------------
def bomb(megabytes: int, name: str = "word/document.xml", extra: dict[str, bytes] | None = None) -> bytes:
    """A docx with one part of zeros: a thousand times smaller than what it unpacks to."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("[Content_Types].xml", content_types({"word/document.xml": WORD}))
        with made.open(name, "w") as part:
            for _ in range(megabytes):
                part.write(bytes(1024 * 1024))
        for other, data in (extra or {}).items():
            made.writestr(other, data)
    return out.getvalue()


def overlapping(count: int = 20) -> bytes:
    """Each entry holds all the following ones as its own bytes, so that the same bytes unpack many times."""
    body, directory = b"x" * 1000, []
    for rank in reversed(range(count)):
        name, checksum = f"{rank:03d}.docx".encode(), zlib.crc32(body)
        sizes = (checksum, len(body), len(body), len(name), 0)
        local = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 0, 0, 0, *sizes) + name
        directory.append(
            (struct.pack("<4s6H3L5HL", b"PK\1\2", 20, 20, 0, 0, 0, 0, *sizes, 0, 0, 0, 0), len(body), name)
        )
        body = local + body
    listed = b"".join(
        start + struct.pack("<L", len(body) - length - 30 - len(name)) + name for start, length, name in directory
    )
    return body + listed + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(listed), len(body), 0)


def lying(real: int = 30 * 1024 * 1024, said: int = 1000) -> bytes:
    """A docx whose directory says that a part unpacks to 1,000 bytes."""
    made = archive(
        {"[Content_Types].xml": content_types({"word/document.xml": WORD}), "word/document.xml": bytes(real)}
    )
    return made.replace(struct.pack("<L", real), struct.pack("<L", said))


def with_flag(made: bytes, flag: int) -> bytes:
    """Set a general purpose flag (1: encrypted) of every entry, in both of its headers."""
    out = bytearray(made)
    for signature, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        at = out.find(signature)
        while at >= 0:
            out[at + offset] |= flag
            at = out.find(signature, at + 4)
    return bytes(out)
