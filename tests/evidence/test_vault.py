"""The vault: whatever is done to a sealed file, it opens whole and unaltered or not at all."""

import base64
import io
import os

import pytest
from django.core.files.storage import default_storage

from ecare.sealing import CannotOpen
from evidence import vault
from evidence.storage import StoreDown
from evidence.vault import SEGMENT, TAG, SealedReader, sealed

SIZES = [0, 1, 1000, SEGMENT - 1, SEGMENT, SEGMENT + 1, 2 * SEGMENT, 2 * SEGMENT + 5]
KEY_A, KEY_B = (base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))


def ciphertext(plain: bytes) -> bytes:
    with sealed([plain]) as spool:
        spool.file.seek(0)
        return spool.file.read()


def opened(content: bytes) -> bytes:
    with SealedReader(io.BytesIO(content)) as reader:
        return reader.read()


def segments(content: bytes) -> list[bytes]:
    start = len(content) % (SEGMENT + TAG)
    return [content[at : at + SEGMENT + TAG] for at in range(start, len(content), SEGMENT + TAG)]


@pytest.mark.parametrize("size", SIZES)
def test_what_was_sealed_opens_whole(size):
    plain = os.urandom(size)
    assert opened(ciphertext(plain)) == plain


@pytest.mark.parametrize("size", SIZES)
def test_pieces_of_any_length_make_the_same_file(size):
    plain = os.urandom(size)
    with sealed(plain[at : at + 70_001] for at in range(0, size, 70_001)) as spool:
        assert spool.reader().read() == plain


def test_a_reader_seeks_like_any_file():
    plain = os.urandom(2 * SEGMENT + 100)
    reader = SealedReader(io.BytesIO(ciphertext(plain)))
    assert reader.seek(0, io.SEEK_END) == len(plain) == reader.size
    for position in (0, 17, SEGMENT - 1, SEGMENT, SEGMENT + 1, 2 * SEGMENT + 50):
        reader.seek(position)
        assert reader.read(100) == plain[position : position + 100]
        assert reader.tell() == min(position + 100, len(plain))
    reader.seek(-10, io.SEEK_END)
    assert reader.read() == plain[-10:]
    assert reader.read() == b""


def test_the_same_bytes_are_never_sealed_alike():
    assert ciphertext(b"x" * 100)[30:] != ciphertext(b"x" * 100)[30:]


@pytest.mark.parametrize("size", [0, 10, SEGMENT + 10])
def test_one_altered_bit_anywhere_is_found(size):
    content = ciphertext(bytes(size))
    places = {*range(60), *range(60, len(content), max(1, len(content) // 40)), len(content) - 1}
    for place in sorted(place for place in places if place < len(content)):
        altered = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
        with pytest.raises(CannotOpen):
            opened(altered)


@pytest.mark.parametrize("missing", [1, TAG, 100, SEGMENT + TAG, SEGMENT + TAG + 1])
def test_a_file_cut_short_is_found(missing):
    content = ciphertext(bytes(3 * SEGMENT))
    with pytest.raises(CannotOpen):
        opened(content[:-missing])


@pytest.mark.parametrize("kept", [0, 3, 4, 5, 20, 40])
def test_a_header_cut_short_is_found(kept):
    with pytest.raises(CannotOpen):
        opened(ciphertext(b"RIB")[:kept])


def test_a_last_segment_cut_off_exactly_is_found():
    content = ciphertext(bytes(2 * SEGMENT))
    with pytest.raises(CannotOpen):
        opened(content[: -(SEGMENT + TAG)])


@pytest.mark.parametrize("more", [b"\0", bytes(TAG), bytes(SEGMENT + TAG)])
def test_a_file_made_longer_is_found(more):
    with pytest.raises(CannotOpen):
        opened(ciphertext(bytes(SEGMENT + 10)) + more)


def test_segments_in_another_order_are_found():
    content = ciphertext(os.urandom(3 * SEGMENT))
    header = content[: len(content) % (SEGMENT + TAG)]
    first, second, third = segments(content)
    assert opened(header + first + second + third)
    for order in (second + first + third, first + third + second, first + first + third, second + third):
        with pytest.raises(CannotOpen):
            opened(header + order)


def test_a_segment_of_another_file_is_found():
    one, other = ciphertext(bytes(2 * SEGMENT)), ciphertext(bytes(2 * SEGMENT))
    header = one[: len(one) % (SEGMENT + TAG)]
    with pytest.raises(CannotOpen):
        opened(header + segments(one)[0] + segments(other)[1])


def test_altered_bytes_are_not_given_out_before_the_fault_is_found():
    content = bytearray(ciphertext(bytes(2 * SEGMENT)))
    content[-1] ^= 1
    reader = SealedReader(io.BytesIO(bytes(content)))
    assert len(reader.read(SEGMENT)) == SEGMENT  # the first segment is sound
    with pytest.raises(CannotOpen):
        reader.read(1)


def test_a_new_key_seals_and_the_old_one_still_opens(settings):
    settings.VAULT_KEYS = [f"2025:{KEY_A}"]
    old = ciphertext(b"ancien")
    settings.VAULT_KEYS = [f"2026:{KEY_B}", f"2025:{KEY_A}"]
    with sealed([b"neuf"]) as spool:
        assert spool.key_name == "2026"
        assert spool.reader().read() == b"neuf"
    assert opened(old) == b"ancien"
    settings.VAULT_KEYS = [f"2026:{KEY_B}"]
    with pytest.raises(CannotOpen):
        opened(old)


def test_a_key_of_the_same_name_but_other_bytes_opens_nothing(settings):
    settings.VAULT_KEYS = [f"2025:{KEY_A}"]
    old = ciphertext(b"ancien")
    settings.VAULT_KEYS = [f"2025:{KEY_B}"]
    with pytest.raises(CannotOpen):
        opened(old)


def test_storage_holds_a_random_name_and_no_plain_byte(tmp_path):
    canary = b"FR76 3000 1007 9412 3456 7890 185"
    with sealed([canary * 100_000]) as spool:
        name = vault.keep(spool)
    found = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path.relative_to(tmp_path / "vault").as_posix() for path in found] == [name]
    assert canary not in found[0].read_bytes()
    assert found[0].stat().st_mode & 0o777 == 0o600
    assert found[0].parent.stat().st_mode & 0o777 == 0o700


def test_a_disk_that_fails_in_the_middle_leaves_nothing(tmp_path):
    class Failing(io.BytesIO):
        def read(self, *args):
            raise OSError("disk full")

    with sealed([b"RIB"]) as spool:
        spool.file, kept = Failing(), spool.file
        with pytest.raises(StoreDown, match="disk full"):
            vault.keep(spool)
        kept.close()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_missing_bytes_are_said_to_be_missing():
    class Row:
        storage_name = "ab/absent"

    with pytest.raises(CannotOpen):
        vault.open_stored(Row())


def test_closing_the_reader_of_a_spool_leaves_the_spool_open():
    with sealed([b"RIB"]) as spool:
        spool.reader().close()
        assert spool.reader().read() == b"RIB"
    assert spool.file.closed


def test_names_lists_what_storage_holds():
    with sealed([b"un"]) as one, sealed([b"deux"]) as two:
        kept = {vault.keep(one), vault.keep(two)}
    assert set(vault.names()) == kept
    for name in kept:
        vault.discard(name)
    assert not set(vault.names())
    assert default_storage.exists("")
