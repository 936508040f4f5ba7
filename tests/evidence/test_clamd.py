"""The client of the antivirus, against the real one: what it says of a file, and of itself."""

import os
import threading
import time
from datetime import timedelta

import pytest

from demo.ole import zed_bytes
from demo.specimens import archive, docx, pdf
from evidence import clamd
from tests.evidence import scanning
from tests.evidence.scanning import FOUND, MARK, infected_pdf, with_entry

MEGABYTE = 1024 * 1024


def in_pieces(content: bytes, length: int = 64 * 1024):
    return [content[start : start + length] for start in range(0, len(content), length)]


def said_of(content: bytes) -> str:
    return clamd.scan(in_pieces(content))


@pytest.mark.parametrize("content", [pdf(), docx(), zed_bytes(), archive({"a.pdf": pdf()}), b"x"])
def test_an_honest_file_is_clean(antivirus, content):
    assert said_of(content) == ""


def test_a_known_signature_is_found(antivirus):
    assert said_of(infected_pdf()) == FOUND


def test_it_is_found_inside_a_document_and_inside_an_archive_in_an_archive(antivirus):
    """Compressed there: the bytes of the signature stand nowhere in the file itself."""
    document = with_entry(docx(), "word/media/image1.png", MARK * 20)
    nested = archive({"pieces.docx": document})
    assert MARK not in document and MARK not in nested
    assert (said_of(document), said_of(nested)) == (FOUND, FOUND)


def test_over_a_port_as_over_a_socket(settings):
    with scanning.clamd(settings, port=0):
        assert settings.SCANNER.startswith("clamd://127.0.0.1:")
        assert (said_of(pdf()), said_of(infected_pdf())) == ("", FOUND)


@pytest.mark.parametrize(
    ("option", "content"),
    [
        ({"MaxFileSize": "1M"}, os.urandom(2 * MEGABYTE)),
        ({"MaxScanSize": "1M"}, archive({"a": os.urandom(2 * MEGABYTE)})),
        ({"MaxFiles": "3"}, archive({str(n): os.urandom(100) for n in range(9)})),
        ({"MaxRecursion": "2"}, archive({"a": archive({"b": archive({"c": b"c"})})})),
        ({"StreamMaxLength": "1M"}, os.urandom(4 * MEGABYTE)),  # it closes the connection
    ],
)
def test_what_is_over_a_limit_is_never_clean(settings, option, content):
    """Seen to fail with `AlertExceedsMax no`: clamd then answers OK to what it did not look at."""
    with scanning.clamd(settings, **option):
        assert said_of(content).startswith(clamd.OVER_LIMIT)


def test_the_largest_file_of_a_space_is_within_the_limits(antivirus):
    assert said_of(os.urandom(200 * MEGABYTE)) == ""


def test_a_scan_that_takes_too_long_came_to_no_end(settings):
    with scanning.clamd(settings, MaxScanTime="1"), pytest.raises(clamd.Unfinished):
        said_of(archive({str(n): os.urandom(20_000) for n in range(300)}))


def test_one_that_is_not_there_is_down(no_antivirus):
    with pytest.raises(clamd.Down):
        said_of(pdf())


def test_a_socket_that_does_not_exist_is_down(settings):
    settings.SCANNER = "clamd:///nowhere/clamd.ctl"
    with pytest.raises(clamd.Down):
        said_of(pdf())


def test_one_that_is_frozen_is_down_within_seconds(antivirus):
    antivirus.freeze()
    begun = time.monotonic()
    try:
        with pytest.raises(clamd.Down):
            said_of(pdf())
    finally:
        antivirus.thaw()
    assert time.monotonic() - begun < 5
    assert said_of(pdf()) == ""


def upset(content: bytes, deed):
    """The pieces of a file; before the last third the deed."""
    pieces = in_pieces(content)
    for rank, piece in enumerate(pieces):
        if rank == 2 * len(pieces) // 3:
            deed()
        yield piece


@pytest.mark.parametrize("deed", ["freeze", "kill"])
def test_one_that_is_frozen_or_killed_while_it_takes_a_file_is_down(antivirus, deed):
    with pytest.raises(clamd.Down):
        clamd.scan(upset(os.urandom(20 * MEGABYTE), getattr(antivirus, deed)))
    antivirus.kill()
    antivirus.start()
    assert said_of(infected_pdf()) == FOUND


def test_one_that_is_frozen_once_it_has_all_is_down(antivirus):
    def pieces():
        yield pdf()
        antivirus.freeze()

    with pytest.raises(clamd.Down):
        clamd.scan(pieces())
    antivirus.kill()


def test_one_that_dies_once_it_has_all_left_the_file_unfinished(antivirus, settings):
    """What it looked at may have felled it."""
    settings.SCANNER_SILENCE = timedelta(seconds=5)

    def pieces():
        yield pdf()
        antivirus.freeze()  # so that it has not answered yet when it dies
        threading.Timer(0.5, antivirus.kill).start()

    with pytest.raises(clamd.Unfinished):
        clamd.scan(pieces())


def test_patience_has_an_end(antivirus, settings):
    settings.SCANNER_PATIENCE = timedelta(0)
    settings.SCANNER_SILENCE = timedelta(milliseconds=100)
    slow = archive({str(n): archive({str(m): os.urandom(20_000) for m in range(20)}) for n in range(20)})
    with pytest.raises(clamd.Unfinished):
        said_of(slow)


def test_a_fault_of_the_file_itself_is_not_the_antivirus(antivirus):
    def pieces():
        yield b"x"
        raise ValueError("the vault")

    with pytest.raises(ValueError, match="the vault"):
        clamd.scan(pieces())
