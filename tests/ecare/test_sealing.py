import base64

import pytest
from django.core.exceptions import ImproperlyConfigured

from ecare.sealing import CannotOpen, keyring, seal, unseal

OLD, NEW = (base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))


def test_what_was_sealed_opens_for_the_same_purpose():
    assert unseal(seal(b"12345678", purpose="letter"), purpose="letter") == b"12345678"


def test_the_plain_bytes_are_nowhere_in_the_sealed_ones():
    assert b"canary" not in seal(b"canary", purpose="letter")


def test_another_purpose_does_not_open():
    with pytest.raises(CannotOpen):
        unseal(seal(b"secret", purpose="letter"), purpose="file")


@pytest.mark.parametrize("place", [0, 3, -1])
def test_one_flipped_bit_does_not_open(place):
    sealed = bytearray(seal(b"secret", purpose="letter"))
    sealed[place] ^= 1
    with pytest.raises(CannotOpen):
        unseal(bytes(sealed), purpose="letter")


@pytest.mark.parametrize("sealed", [b"", b"\x04", b"\x04key"])
def test_cut_bytes_do_not_open(sealed):
    with pytest.raises(CannotOpen):
        unseal(sealed, purpose="letter")


def test_an_older_key_still_opens_what_it_sealed(settings):
    settings.VAULT_KEYS = [f"2025:{OLD}"]
    sealed = seal(b"secret", purpose="letter")
    settings.VAULT_KEYS = [f"2026:{NEW}", f"2025:{OLD}"]
    assert unseal(sealed, purpose="letter") == b"secret"
    assert seal(b"secret", purpose="letter").startswith(b"\x042026")


def test_a_key_that_is_gone_opens_nothing(settings):
    settings.VAULT_KEYS = [f"2025:{OLD}"]
    sealed = seal(b"secret", purpose="letter")
    settings.VAULT_KEYS = [f"2026:{NEW}"]
    with pytest.raises(CannotOpen):
        unseal(sealed, purpose="letter")


@pytest.mark.parametrize("keys", ["", "2026", "2026:", "2026:short", f":{NEW}", f"2026:{NEW[:-4]}"])
def test_a_malformed_key_stops_with_a_sentence(settings, keys):
    settings.VAULT_KEYS = [keys]
    with pytest.raises(ImproperlyConfigured, match="ECARE_VAULT_KEYS"):
        keyring()
