"""The antivirus, asked over its socket: clamd takes a file as a stream, looks at it once it is whole, and says a word.

It is `Down` as long as it does not answer, or breaks off while it takes the file, which it has not looked at by then.
It left a file `Unfinished` when it had all of it and came to no end: that may be the file's fault.
"""

import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from urllib.parse import unquote, urlsplit

from django.conf import settings

from evidence.vault import PIECE, SealedReader

OVER_LIMIT = "Heuristics.Limits.Exceeded"
TOO_LONG = f"{OVER_LIMIT}.StreamMaxLength"  # the one that clamd says in other words
_TOO_SLOW = f"{OVER_LIMIT}.MaxScanTime"
_MOST_SAID = 4096


class Down(Exception):
    """The antivirus is not there; no file is at fault."""


class Unfinished(Exception):
    """It came to no end with this file."""


def scan(pieces: Iterable[bytes]) -> str:
    """What the antivirus found in the bytes: the name of a signature, of a limit (`OVER_LIMIT…`), or nothing.

    Raises Down or Unfinished, and whatever `pieces` raises.
    """
    end = time.monotonic() + settings.SCANNER_PATIENCE.total_seconds()
    if not is_there():
        raise Down
    with _talk() as talk:
        found = _send(talk, pieces)
        return found or _verdict(_awaited(talk, end))


def pieces_of(reader: SealedReader) -> Iterator[bytes]:
    """A sealed file as it is opened, segment by segment."""
    while piece := reader.read(PIECE):
        yield piece


def is_there() -> bool:
    """Whether it answers, by a conversation of its own."""
    try:
        with _talk() as talk:
            talk.sendall(b"zPING\0")
            return talk.recv(_MOST_SAID) == b"PONG\0"
    except (Down, OSError):
        return False


@contextmanager
def _talk() -> Iterator[socket.socket]:
    try:
        talk = _connected(settings.SCANNER_SILENCE.total_seconds())
    except OSError as error:
        raise Down from error
    with talk:
        yield talk


def _connected(silence: float) -> socket.socket:
    address = urlsplit(settings.SCANNER)
    if address.netloc:
        return socket.create_connection((address.hostname, address.port), timeout=silence)
    talk = socket.socket(socket.AF_UNIX)
    talk.settimeout(silence)
    try:
        talk.connect(unquote(address.path))
    except OSError:
        talk.close()
        raise
    return talk


def _send(talk: socket.socket, pieces: Iterable[bytes]) -> str:
    """The whole stream; what clamd said if it stopped it over its limit. Raises Down."""
    framed = (len(piece).to_bytes(4, "big") + piece for piece in pieces)
    for part in chain([b"zINSTREAM\0"], framed, [bytes(4)]):
        try:
            talk.sendall(part)
        except OSError as error:
            if b"size limit exceeded" in _last_words(talk):
                return TOO_LONG
            raise Down from error
    return ""


def _last_words(talk: socket.socket) -> bytes:
    try:
        return talk.recv(_MOST_SAID)
    except OSError:
        return b""


def _awaited(talk: socket.socket, end: float) -> bytes:
    """Its answer, which takes as long as it looks at the file; meanwhile it is asked whether it is still there."""
    said = b""
    while not said.endswith(b"\0"):
        try:
            more = talk.recv(_MOST_SAID)
        except TimeoutError:
            if not is_there():
                raise Down from None
            if time.monotonic() > end:
                raise Unfinished from None
            continue
        except OSError as error:
            raise Unfinished from error
        if not more:
            raise Unfinished
        said += more
    return said


def _verdict(said: bytes) -> str:
    text = said.rstrip(b"\0").decode(errors="replace")
    about, _, word = text.rpartition(" ")  # « stream: OK », « stream: Name FOUND », « … ERROR »
    if b"size limit exceeded" in said:
        return TOO_LONG
    if not about.startswith("stream:"):  # of itself: no room for what it is sent, say
        raise Down
    name = about.removeprefix("stream:").strip()
    if word == "OK" and not name:
        return ""
    if word != "FOUND" or not name or name.startswith(_TOO_SLOW):
        raise Unfinished
    return name[:200]
