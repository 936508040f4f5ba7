"""The whole database as a stream of bytes and back, on either engine: PostgreSQL by its own programs, SQLite by its
backup interface. What is read beside the stream is of the same instant."""

import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import NamedTuple

from django.conf import settings
from django.db import connection, connections, transaction
from django.db.utils import load_backend

PIECE = 1024 * 1024
COPY = "backup"
_SSL = {"sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY"}


class Failed(Exception):
    """A program of the database ended badly; what it said is in the message."""


class Snapshot(NamedTuple):
    """`using`: the connection that sees the database as it is dumped. `pieces`: the dump, to be read first."""

    using: str
    pieces: Callable[[], Iterator[bytes]]


@contextmanager
def snapshot() -> Iterator[Snapshot]:
    with (_of_postgresql if connection.vendor == "postgresql" else _of_sqlite)() as found:
        yield found


def is_empty() -> bool:
    return not connection.introspection.table_names()


def load(pieces: Iterator[bytes]) -> None:
    """Into an empty database, or in the place of the one that is there; whole or not at all. Raises Failed."""
    (_load_postgresql if connection.vendor == "postgresql" else _load_sqlite)(pieces)


# --- PostgreSQL -----------------------------------------------------------------------------------------------------
@contextmanager
def _of_postgresql() -> Iterator[Snapshot]:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            cursor.execute("SELECT pg_export_snapshot()")
            [name] = cursor.fetchone()
        yield Snapshot("default", lambda: _dump(name))


def _dump(name: str) -> Iterator[bytes]:
    command = ["pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--snapshot={name}"]
    with _program(command, stdout=subprocess.PIPE) as process:
        while piece := process.stdout.read(PIECE):
            yield piece


def _load_postgresql(pieces: Iterator[bytes]) -> None:
    if not is_empty():
        with connection.cursor() as cursor:
            cursor.execute("DROP SCHEMA public CASCADE")
            cursor.execute("CREATE SCHEMA public")
    options = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"]
    with _program(["pg_restore", *options, f"--dbname={_parameters()['dbname']}"], stdin=subprocess.PIPE) as process:
        try:
            for piece in pieces:
                process.stdin.write(piece)
            process.stdin.close()
        except BrokenPipeError:
            pass  # it ended: it says why
    connection.close()


@contextmanager
def _program(command: list[str], **streams) -> Iterator[subprocess.Popen]:
    """The password goes by the environment, which other people of the machine do not see. Raises Failed."""
    with TemporaryFile() as complaints:
        try:
            process = subprocess.Popen(command, stderr=complaints, env=_environment(), **streams)  # noqa: S603
        except FileNotFoundError:
            raise Failed(f"{command[0]} is not installed: add PostgreSQL's client programs.") from None
        with process:
            try:
                yield process
            except BaseException:
                process.kill()
                raise
        if process.returncode:
            complaints.seek(0)
            raise Failed(f"{command[0]} failed: {complaints.read().decode(errors='replace').strip()}")


def _parameters() -> dict:
    connection.ensure_connection()
    return connection.connection.info.get_parameters()


def _environment() -> dict[str, str]:
    given, info = _parameters(), connection.connection.info
    found = {"PGHOST": info.host, "PGPORT": str(info.port), "PGUSER": info.user, "PGDATABASE": given["dbname"]}
    found |= {variable: given[name] for name, variable in _SSL.items() if name in given}
    if info.password:
        found["PGPASSWORD"] = info.password
    return {"PATH": os.environ.get("PATH", os.defpath)} | found


# --- SQLite -----------------------------------------------------------------------------------------------------------
@contextmanager
def _of_sqlite() -> Iterator[Snapshot]:
    """A copy beside the database itself, as readable as that is, for as long as the backup lasts."""
    connection.ensure_connection()
    with TemporaryDirectory(prefix="backup-", dir=settings.DATA_DIR) as folder:
        path = Path(folder) / "copy.sqlite3"
        with _open(path) as copy:
            connection.connection.backup(copy, pages=1000, sleep=0.01)
            copy.execute("PRAGMA journal_mode=DELETE")
        engine = load_backend(connection.settings_dict["ENGINE"])
        connections[COPY] = engine.DatabaseWrapper(connection.settings_dict | {"NAME": path}, COPY)
        try:
            yield Snapshot(COPY, lambda: _pieces_of(path))
        finally:
            connections[COPY].close()
            del connections[COPY]


@contextmanager
def _open(path: Path) -> Iterator[sqlite3.Connection]:
    database = sqlite3.connect(path)
    try:
        yield database
    finally:
        database.close()


def _pieces_of(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece


def _load_sqlite(pieces: Iterator[bytes]) -> None:
    path = Path(connection.settings_dict["NAME"])
    connection.close()
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.part")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        for piece in pieces:
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    for ending in ("-wal", "-shm"):
        path.with_name(f"{path.name}{ending}").unlink(missing_ok=True)
    draft.rename(path)
