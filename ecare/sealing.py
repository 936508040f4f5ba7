"""Authenticated encryption of small secrets at rest (AES-256-GCM); keys come from `settings.VAULT_KEYS`."""

import base64
import os
from typing import NamedTuple

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Model


class CannotOpen(Exception):
    """The sealed bytes were altered, or their key is no longer there."""


class KeyLost(CannotOpen):
    """What sealed the bytes is not among the keys that we have."""


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


def sealing_key() -> str:
    """The name of the key that seals from now on."""
    return next(iter(keyring()))


def check_value(secret: bytes) -> str:
    """Tells whether two secrets are the same, and nothing else of them: they are drawn at random, and long."""
    return derived_key(secret, purpose="check value").hex()[:32]


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
        key = derived_key(master(header[1:].decode()), purpose=purpose)
        return AESGCM(key).decrypt(rest[:12], rest[12:], header)
    except CannotOpen:
        raise
    except Exception as error:
        raise CannotOpen from error


def master(name: str) -> bytes:
    """The key of this name. Raises KeyLost."""
    try:
        return keyring()[name]
    except KeyError:
        raise KeyLost(name) from None


def key_of(sealed: bytes) -> str:
    """The name of the key that sealed it; empty when the bytes do not tell."""
    return sealed[1 : 1 + sealed[0]].decode(errors="replace") if sealed else ""


# --- what a change of key has to go through -----------------------------------------------------------------------
class Column(NamedTuple):
    """Where sealed secrets stand in the database."""

    label: str
    field: str
    purpose: str

    @property
    def model(self) -> type[Model]:
        return apps.get_model(self.label)


_COLUMNS: list[Column] = []


def keeps(label: str, *fields: str, purpose: str) -> None:
    """Said by a room of its own models (« letters.Letter ») when it starts."""
    _COLUMNS.extend(Column(label, field, purpose) for field in fields)


def columns() -> list[Column]:
    return list(_COLUMNS)
