"""Authenticated encryption of small secrets at rest (AES-256-GCM); keys come from `settings.VAULT_KEYS`."""

import base64
import os

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


class CannotOpen(Exception):
    """The sealed bytes were altered, or their key is no longer there."""


def keyring() -> dict[str, bytes]:
    """Name to 32 bytes, the sealing key first. Raises ImproperlyConfigured on a malformed ECARE_VAULT_KEYS."""
    ring = {}
    for item in settings.VAULT_KEYS:
        name, _, encoded = item.partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except ValueError:
            key = b""
        if not name or len(key) != 32:
            raise ImproperlyConfigured("ECARE_VAULT_KEYS takes « name:base64 of 32 bytes », comma separated.")
        ring[name] = key
    return ring


def derived_key(master: bytes, *, purpose: str, salt: bytes = b"") -> bytes:
    """A 32-byte key for one purpose, so that no two uses share a key."""
    return HKDF(SHA256(), 32, salt or None, f"ecare/{purpose}".encode()).derive(master)


def seal(plain: bytes, *, purpose: str) -> bytes:
    """key name length (1 byte), key name, nonce (12 bytes), ciphertext; the purpose is authenticated."""
    name, master = next(iter(keyring().items()))
    nonce = os.urandom(12)
    header = bytes([len(name)]) + name.encode()
    sealed = AESGCM(derived_key(master, purpose=purpose)).encrypt(nonce, plain, header)
    return header + nonce + sealed


def unseal(sealed: bytes, *, purpose: str) -> bytes:
    """The bytes that were sealed for `purpose`. Raises CannotOpen."""
    try:
        size = sealed[0]
        header, rest = sealed[: size + 1], sealed[size + 1 :]
        key = derived_key(keyring()[header[1:].decode()], purpose=purpose)
        return AESGCM(key).decrypt(rest[:12], rest[12:], header)
    except Exception as error:
        raise CannotOpen from error
