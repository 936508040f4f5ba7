"""What a backup is: a folder with the database (sealed), the objects of the vault as they rest there (sealed), a list
of these, and a manifest that is written last. No key is in it; check values tell which keys it needs.

    manifest.json     what was taken, when, of which version; digests of all the rest; signed with a key of the vault
    database.sealed   pg_dump's custom format, or a SQLite file
    vault.jsonl       a line for each object: its row, name, size and digest; or that it was gone by then
    vault/ab/abcd…    the objects
"""

import hashlib
import hmac
import json
import os
import tomllib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from django.conf import settings

from ecare.sealing import check_value, derived_key, keyring, sealing_key

FORMAT = 1
MANIFEST, DATABASE, LISTING, OBJECTS = "manifest.json", "database.sealed", "vault.jsonl", "vault"
SEALED_AS = b"backup: database"
PIECE = 1024 * 1024


class Unsound(Exception):
    """The backup is not whole, was altered, or is not of this portal; the message says which."""


@dataclass(frozen=True)
class Entry:
    """An object of the vault and the row that led to it. `gone`: its row was deleted while the backup was made; `lost`:
    its row was still there, and its bytes were not."""

    row: str
    name: str
    size: int = 0
    sha256: str = ""
    gone: bool = False
    lost: bool = False


@dataclass
class Manifest:
    made_at: str
    version: str
    engine: str
    migrations: list[list[str]]
    counts: dict[str, int]
    journal: dict[str, int | str]
    keys: dict[str, str]
    secret_key: str
    files: dict[str, dict[str, int | str]]
    vault: dict[str, int]
    format: int = FORMAT


def version() -> str:
    with (settings.BASE_DIR / "pyproject.toml").open("rb") as file:
        return tomllib.load(file)["project"]["version"]


def check_values() -> dict[str, str]:
    return {name: check_value(key) for name, key in keyring().items()}


def secret_key_value() -> str:
    return check_value(settings.SECRET_KEY.encode())


# --- write --------------------------------------------------------------------------------------------------------
def write(folder: Path, manifest: Manifest) -> None:
    """At last: a folder without it is no backup."""
    content = asdict(manifest)
    signed = {"content": content, "key": sealing_key(), "signature": _signature(content, sealing_key())}
    draft = folder / f"{MANIFEST}.part"
    with draft.open("w") as file:
        json.dump(signed, file, indent=1, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(folder / MANIFEST)


def _signature(content: dict, key_name: str) -> str:
    key = derived_key(keyring()[key_name], purpose="backup manifest")
    return hmac.new(key, json.dumps(content, sort_keys=True).encode(), hashlib.sha256).hexdigest()


def digest_of(path: Path) -> dict[str, int | str]:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            digest.update(piece)
            size += len(piece)
    return {"size": size, "sha256": digest.hexdigest()}


# --- read ---------------------------------------------------------------------------------------------------------
def read(folder: Path) -> Manifest:
    """Raises Unsound, also when the keys of this portal are not those that the backup needs."""
    try:
        signed = json.loads((folder / MANIFEST).read_text())
        content, key_name, signature = signed["content"], signed["key"], signed["signature"]
        found = Manifest(**content)
    except FileNotFoundError:
        raise Unsound(f"{folder} has no {MANIFEST}: this backup was not finished, or is elsewhere.") from None
    except (ValueError, TypeError, KeyError):
        raise Unsound(f"{MANIFEST} cannot be read: it was altered or cut short.") from None
    if found.format != FORMAT:
        raise Unsound(f"This backup is of format {found.format}, this version reads format {FORMAT}.")
    _check_keys(found)
    if not hmac.compare_digest(signature, _signature(content, key_name)):
        raise Unsound(f"{MANIFEST} was altered: its signature is not that of the key {key_name}.")
    return found


def _check_keys(manifest: Manifest) -> None:
    ours = check_values()
    absent = sorted(manifest.keys.keys() - ours.keys())
    if absent:
        raise Unsound(f"ECARE_VAULT_KEYS lacks {', '.join(absent)}, which this backup needs.")
    other = sorted(name for name, value in manifest.keys.items() if ours[name] != value)
    if other:
        raise Unsound(f"ECARE_VAULT_KEYS has another key named {', '.join(other)} than this backup was made with.")


def check_files(folder: Path, manifest: Manifest) -> None:
    """The database and the list of objects, byte by byte. Raises Unsound."""
    for name, expected in manifest.files.items():
        path = folder / name
        if not path.exists():
            raise Unsound(f"{name} is missing.")
        if path.stat().st_size != expected["size"]:
            raise Unsound(f"{name} has {path.stat().st_size} bytes and not {expected['size']}: it was cut short.")
        if digest_of(path) != expected:
            raise Unsound(f"{name} was altered: its digest is another.")


def entries(folder: Path) -> Iterator[Entry]:
    with (folder / LISTING).open() as file:
        for line in file:
            yield Entry(**json.loads(line))


def faults_of_objects(folder: Path) -> Iterator[str]:
    """Those that are not there, or not whole; their digests are compared when they are put back."""
    for entry in entries(folder):
        path = folder / OBJECTS / entry.name
        if entry.gone or entry.lost:
            continue
        if not path.exists():
            yield f"{OBJECTS}/{entry.name} is missing ({entry.row})"
        elif path.stat().st_size != entry.size:
            yield f"{OBJECTS}/{entry.name} has {path.stat().st_size} bytes and not {entry.size} ({entry.row})"
