"""PDF: whole, and readable without a password."""

import hashlib
import re

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from evidence.files.refusal import damaged, locked

_TAIL = 64 * 1024
_PIECE = 1024 * 1024
_BEFORE = b"\xef\xbb\xbf \t\r\n\x00"  # some scanners begin with a byte order mark or an empty line
# The 32 bytes with which PDF completes a password (ISO 32000-1, 7.6.3.3); an empty password is just these.
_PADDING = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")


def check_pdf(file) -> None:
    """Raises Refused. A document that merely forbids printing or copying opens without a password, and may enter."""
    size = file.seek(0, 2)
    file.seek(0)
    if not re.match(rb"%PDF-[12]\.\d", file.read(1024).lstrip(_BEFORE)):
        raise damaged()
    file.seek(max(0, size - _TAIL))
    tail = file.read()
    if b"startxref" not in tail or b"%%EOF" not in tail[tail.rindex(b"startxref") :]:
        raise damaged()
    encryption = _encryption(file, tail)
    if encryption is not None and _needs_password(*encryption):
        raise locked()


def _encryption(file, tail: bytes) -> tuple[bytes, bytes] | None:
    """The encryption dictionary and the first file identifier, when the last trailer names one."""
    trailer = tail
    offset = re.match(rb"startxref\s+(\d{1,12})(?!\d)", tail[tail.rindex(b"startxref") :])
    if offset:
        file.seek(int(offset[1]))
        trailer = file.read(_TAIL) + tail
    if reference := re.search(rb"/Encrypt\s+(\d{1,10})\s+(\d{1,5})\s+R", trailer):
        dictionary = _object(file, reference[1], reference[2])
    elif inline := re.search(rb"/Encrypt\s*(<<.{,4096}?>>\s*(?:/|>>))", trailer, re.DOTALL):
        dictionary = inline[1]
    else:
        return None
    identifier = re.search(rb"/ID\s*\[\s*", trailer)
    first = _string(trailer, identifier.end()) if identifier else b""
    return dictionary, first or b""


def _object(file, number: bytes, generation: bytes) -> bytes:
    """The start of an object, found by its heading; the last one wins, as in a file saved several times."""
    heading = re.compile(rb"(?<!\d)%s\s+%s\s+obj\b" % (number, generation))
    file.seek(0)
    found, position, kept = None, 0, b""
    while piece := file.read(_PIECE):
        window = kept + piece
        for match in heading.finditer(window):
            found = position - len(kept) + match.end()
        position += len(piece)
        kept = window[-64:]
    if found is None:
        return b""
    file.seek(found)
    return file.read(8192).partition(b"endobj")[0]


def _string(text: bytes, position: int) -> bytes | None:
    """The literal or hexadecimal string that begins there."""
    if text[position : position + 1] == b"<":
        digits = re.sub(rb"[^0-9A-Fa-f]", b"", text[position + 1 :].partition(b">")[0])
        return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode("latin-1"))
    if text[position : position + 1] != b"(":
        return None
    out, depth, at = bytearray(), 1, position + 1
    escapes = {b"n": 10, b"r": 13, b"t": 9, b"b": 8, b"f": 12}
    while at < len(text):
        byte = text[at : at + 1]
        if byte == b"\\":
            octal = re.match(rb"[0-7]{1,3}", text[at + 1 : at + 4])
            following = text[at + 1 : at + 2]
            at += 1 + (len(octal[0]) if octal else 1)
            if octal:
                out.append(int(octal[0], 8) & 255)
            elif following == b"\r":
                at += text[at : at + 1] == b"\n"
            elif following != b"\n":
                out.append(escapes.get(following, following[0] if following else 0))
            continue
        depth += (byte == b"(") - (byte == b")")
        if depth == 0:
            return bytes(out)
        out += byte
        at += 1
    return None


def _entry(dictionary: bytes, name: bytes) -> bytes:
    match = re.search(rb"/%s\s*(?=[(<])" % name, dictionary)
    return (_string(dictionary, match.end()) or b"") if match else b""


def _number(dictionary: bytes, name: bytes, default: int = 0) -> int:
    match = re.search(rb"/%s\s+(-?\d{1,12})" % name, dictionary)
    return int(match[1]) if match else default


def _needs_password(dictionary: bytes, identifier: bytes) -> bool:
    """Whether the empty password fails (ISO 32000-2, 7.6.4). What is not understood is left to the reader."""
    if not re.search(rb"/Filter\s*/Standard\b", dictionary):
        return True  # certificates and digital rights: nobody else can open it
    revision = _number(dictionary, b"R")
    owner, user = _entry(dictionary, b"O"), _entry(dictionary, b"U")
    if revision in (5, 6) and len(user) >= 48:
        salt = user[32:40]
        digest = hashlib.sha256(salt).digest() if revision == 5 else _hash_of_revision_6(salt)
        return digest != user[:32]
    if revision in (2, 3, 4) and len(user) >= 16:
        return not _opens(dictionary, revision, owner[:32], user[:32], identifier)
    return False


def _opens(dictionary: bytes, revision: int, owner: bytes, user: bytes, identifier: bytes) -> bool:
    permissions = _number(dictionary, b"P") & 0xFFFFFFFF
    key_length = 5 if revision == 2 else max(5, min(16, _number(dictionary, b"Length", 40) // 8))
    if revision == 4:
        key_length = 16  # its crypt filters, V2 or AESV2, take 128 bits
    start = _PADDING + owner + permissions.to_bytes(4, "little") + identifier
    if revision == 4 and re.search(rb"/EncryptMetadata\s+false", dictionary):
        start += b"\xff\xff\xff\xff"
    key = hashlib.md5(start, usedforsecurity=False).digest()
    if revision >= 3:
        for _ in range(50):
            key = hashlib.md5(key[:key_length], usedforsecurity=False).digest()
    key = key[:key_length]
    if revision == 2:
        return _rc4(key, _PADDING) == user
    mark = hashlib.md5(_PADDING + identifier, usedforsecurity=False).digest()
    for step in range(20):
        mark = _rc4(bytes(byte ^ step for byte in key), mark)
    return mark == user[:16]


def _rc4(key: bytes, data: bytes) -> bytes:
    """Old PDF files use it; here it only tells whether the empty password opens one."""
    box, j = list(range(256)), 0
    for i in range(256):
        j = (j + box[i] + key[i % len(key)]) % 256
        box[i], box[j] = box[j], box[i]
    out, i, j = bytearray(), 0, 0
    for byte in data:
        i = (i + 1) % 256
        j = (j + box[i]) % 256
        box[i], box[j] = box[j], box[i]
        out.append(byte ^ box[(box[i] + box[j]) % 256])
    return bytes(out)


def _hash_of_revision_6(salt: bytes) -> bytes:
    """Algorithm 2.B of ISO 32000-2 for the empty password."""
    digest, last, step = hashlib.sha256(salt).digest(), 0, 0
    while step < 64 or last > step - 32:
        encryptor = Cipher(algorithms.AES(digest[:16]), modes.CBC(digest[16:32])).encryptor()
        mixed = encryptor.update(digest * 64)
        digest = (hashlib.sha256, hashlib.sha384, hashlib.sha512)[sum(mixed[:16]) % 3](mixed).digest()
        last, step = mixed[-1], step + 1
    return digest[:32]
