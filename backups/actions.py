"""The verbs: back everything up while people work; bring it back, elsewhere or in the place of what is there.

The database first, as of one instant, then the objects that its rows led to: what a row of the backup needs was there
before. What was deleted between the two is listed as gone; what was sealed anew is taken from where its row leads now.
"""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import connection, connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from accounts.models import OpenSession
from backups import databases, manifests
from backups.manifests import DATABASE, LISTING, OBJECTS, PIECE, SEALED_AS, Entry, Manifest, Unsound
from ecare.journal.actions import all_broken_links, missing_guards, record
from ecare.journal.models import Chain
from ecare.journal.models import Entry as JournalEntry
from ecare.sealing import CannotOpen
from evidence import vault
from evidence.vault import SealedReader, Shelf, Spool
from evidence.verification import examine

_BATCH = 1000
AT_ONCE = 8
"""Objects that are copied at the same time: a piece of each is in memory."""
Tell = Callable[[str], None]


class NotEmpty(Exception):
    """The place to restore to holds something; the message says what."""


# --- back up ------------------------------------------------------------------------------------------------------
def back_up(folder: Path, *, at: datetime, tell: Tell) -> list[Entry]:
    """Into a folder that is empty or not there yet. Returns the objects that are lost: their rows are there, they are
    not. Raises StoreDown or databases.Failed; what was written is then no backup."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise NotEmpty(f"{folder} is not empty.")
    with databases.snapshot() as taken:
        _dump(folder, taken)
        facts = facts_of(taken.using)
        rows = [(shelf, *row) for shelf in vault.shelves() for row in _rows_of(shelf, taken.using)]
    tell(f"database: {(folder / DATABASE).stat().st_size} bytes, {len(rows)} objects to copy")
    found = _copy_all(folder, rows, tell)
    _write_listing(folder, found)
    os.sync()
    files = {name: manifests.digest_of(folder / name) for name in (DATABASE, LISTING)}
    sizes = {
        "objects": sum(not (one.gone or one.lost) for one in found),
        "bytes": sum(one.size for one in found),
        "gone": sum(one.gone for one in found),
        "lost": sum(one.lost for one in found),
    }
    manifest = Manifest(
        made_at=at.isoformat(),
        version=manifests.version(),
        engine=connection.vendor,
        keys=manifests.check_values(),
        secret_key=manifests.secret_key_value(),
        files=files,
        vault=sizes,
        **facts,
    )
    manifests.write(folder, manifest)
    record("backup", "make_backup", data=sizes)
    return [one for one in found if one.lost]


def _dump(folder: Path, taken: databases.Snapshot) -> None:
    with (folder / DATABASE).open("x+b") as file, Spool(context=SEALED_AS, into=file) as spool:
        for piece in taken.pieces():
            spool.write(piece)
        spool.finish()


def facts_of(using: str) -> dict:
    """What a restored database is compared with. Sessions are not brought back."""
    models = [one for one in apps.get_models(include_auto_created=True) if one is not OpenSession]
    own = [one for one in models if one._meta.managed and not one._meta.proxy]
    heads = hashlib.sha256()
    chains = Chain.objects.using(using).order_by("subject").values_list("subject", "length", "digest")
    for line in chains.iterator():
        heads.update(json.dumps(line, ensure_ascii=False).encode())
    applied = MigrationRecorder(connections[using]).applied_migrations()
    return {
        "migrations": sorted([app, name] for app, name in applied),
        "counts": {one._meta.label: one._base_manager.using(using).count() for one in own},
        "journal": {
            "chains": Chain.objects.using(using).count(),
            "entries": JournalEntry.objects.using(using).count(),
            "heads": heads.hexdigest(),
        },
    }


def _rows_of(shelf: Shelf, using: str) -> list[tuple]:
    return list(shelf.rows.using(using).values_list("pk", "storage_name"))


def _copy_all(folder: Path, rows: list[tuple], tell: Tell) -> list[Entry]:
    """Several at once, for most of the time is spent waiting for disks and networks."""
    found: list[Entry] = []
    with ThreadPoolExecutor(AT_ONCE) as threads:
        for batch in _batches(iter(rows)):
            copies = [threads.submit(_copy_object, name, folder / OBJECTS / name) for _shelf, _pk, name in batch]
            found += (_copied(folder, row, copy) for row, copy in zip(batch, copies, strict=True))
            tell(f"{len(found)} objects copied")
    return found


def _batches(everything: Iterator) -> Iterator[list]:
    while batch := list(islice(everything, _BATCH)):
        yield batch


def _copied(folder: Path, known: tuple[Shelf, Any, str], copy: Future) -> Entry:
    """Under the name that the row of the backup knows, whatever the row is led to by now."""
    shelf, pk, name = known
    row, present = f"{shelf.label} {pk}", name
    while True:
        try:
            size, sha256 = copy.result() if present == name else _copy_object(present, folder / OBJECTS / name)
        except FileNotFoundError:
            (folder / OBJECTS / name).unlink(missing_ok=True)  # deleted while it was read
            now = shelf.rows.filter(pk=pk).values_list("storage_name", flat=True).first()
            if now is None:
                return Entry(row, name, gone=True)
            if now == present:
                return Entry(row, name, lost=True)
            present = now
        else:
            return Entry(row, name, size, sha256)


def _copy_object(name: str, path: Path) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    with default_storage.open(name) as source:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with path.open("wb") as file:
            while piece := source.read(PIECE):
                file.write(piece)
                digest.update(piece)
                size += len(piece)
    return size, digest.hexdigest()


def _write_listing(folder: Path, found: list[Entry]) -> None:
    with (folder / LISTING).open("x") as file:
        for one in found:
            kept = {name: value for name, value in vars(one).items() if value}
            file.write(json.dumps(kept, ensure_ascii=False) + "\n")


# --- restore ------------------------------------------------------------------------------------------------------
def check(folder: Path, *, replaces: bool, changes_secret_key: bool = False) -> tuple[Manifest, list[str]]:
    """Whether this backup may be restored here; nothing is changed. Returns the faults of its objects. Raises Unsound
    or NotEmpty."""
    manifest = manifests.read(folder)
    if manifest.secret_key != manifests.secret_key_value() and not changes_secret_key:
        raise Unsound(
            "SECRET_KEY is another than this backup was made with: recovery codes and invitations would be void."
        )
    if manifest.engine != connection.vendor:
        raise Unsound(f"This backup is of {manifest.engine}, the database here is {connection.vendor}.")
    known = MigrationLoader(None).disk_migrations
    later = [f"{app}.{name}" for app, name in manifest.migrations if (app, name) not in known and app in _our_apps()]
    if later:
        raise Unsound(
            f"This backup is of version {manifest.version}, later than this one: it knows {', '.join(later)}."
        )
    manifests.check_files(folder, manifest)
    if not replaces:
        if not databases.is_empty():
            raise NotEmpty("The database is not empty.")
        if next(iter(vault.names()), None) is not None:
            raise NotEmpty("The vault is not empty.")
    return manifest, list(manifests.faults_of_objects(folder))


def _our_apps() -> set[str]:
    return {config.label for config in apps.get_app_configs()}


def restore(folder: Path, manifest: Manifest, *, tell: Tell) -> list[str]:
    """Database, then objects, then what tells whether all is well. Returns what is not. Raises databases.Failed or
    StoreDown; to go on, restore again."""
    with (folder / DATABASE).open("rb") as file, SealedReader(file, context=SEALED_AS) as reader:
        databases.load(iter(lambda: reader.read(PIECE), b""))
    OpenSession.objects.all().delete()  # whoever had signed out would be in again
    tell("database restored")
    faults = [*_compare(manifest), *_put_back_all(folder, tell), *_lost_guards(), *all_broken_links()]
    faults += _unreadable(folder)
    record("backup", "restore_backup", data={"made_at": manifest.made_at, "faults": len(faults)})
    return faults


def _compare(manifest: Manifest) -> Iterator[str]:
    found = facts_of("default")
    for label, count in manifest.counts.items():
        if found["counts"].get(label, count) != count:
            yield f"{label}: {found['counts'][label]} rows, {count} in the backup"
    if found["journal"] != manifest.journal:
        yield f"the journal is not that of the backup: {found['journal']}, {manifest.journal} there"


def _put_back_all(folder: Path, tell: Tell) -> Iterator[str]:
    entries, number = (entry for entry in manifests.entries(folder) if not (entry.gone or entry.lost)), 0
    with ThreadPoolExecutor(AT_ONCE) as threads:
        for batch in _batches(entries):
            faults = threads.map(lambda entry: _put_back(folder / OBJECTS / entry.name, entry), batch)
            yield from (f"{entry.row}: {fault}" for entry, fault in zip(batch, faults, strict=True) if fault)
            number += len(batch)
            tell(f"{number} objects restored")


def _put_back(path: Path, entry: Entry) -> str:
    """What is wrong with it. An altered object is not put in the place of a sound one."""
    if not path.exists():
        return f"{OBJECTS}/{entry.name} is missing in the backup"
    if manifests.digest_of(path) != {"size": entry.size, "sha256": entry.sha256}:
        return f"{OBJECTS}/{entry.name} was altered in the backup"
    default_storage.delete(entry.name)
    with path.open("rb") as file:
        default_storage.save(entry.name, File(file))
    return ""


def _lost_guards() -> Iterator[str]:
    """The journal is append-only by triggers, which are a part of the database."""
    return (f"the database no longer refuses: {name} is gone or off" for name in missing_guards())


def _unreadable(folder: Path) -> Iterator[str]:
    """As `verify_vault`, but for what was gone when the backup was made."""
    gone = {entry.row for entry in manifests.entries(folder) if entry.gone}
    for shelf in vault.shelves():
        for finding in examine(shelf):
            row = f"{finding.label} {finding.pk}"
            if finding.fault and row not in gone:
                yield f"{row}: {finding.fault}"


def gone_in(folder: Path) -> Counter[str]:
    """By model, the rows whose bytes were deleted while the backup was made."""
    return Counter(entry.row.split()[0] for entry in manifests.entries(folder) if entry.gone)


def opens(folder: Path) -> bool:
    """Whether the database opens with the keys that are here."""
    try:
        with (folder / DATABASE).open("rb") as file, SealedReader(file, context=SEALED_AS) as reader:
            reader.read(1)
    except CannotOpen:
        return False
    return True
