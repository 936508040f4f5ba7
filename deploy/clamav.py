"""ClamAV's clamd, from Debian's clamav-daemon (`bin/clamav`): the limits of `clamd.conf`, signatures of its own."""

import hashlib
import os
import shutil
import socket
from pathlib import Path

from deploy.processes import HOST, NotStarted, Server, free_port

CONFIGURATION = Path(__file__).with_name("clamd.conf")
NO_CLAMD = "No clamd: install Debian's clamav-daemon (bin/clamav does, as root), or name it in CLAMD."
HARMLESS = b"eCaRE: a signature that nothing real matches"


def program() -> str | None:
    """The clamd that CLAMD names, or that is installed."""
    named = os.environ.get("CLAMD")
    return named or shutil.which("clamd") or shutil.which("clamd", path="/usr/sbin:/usr/local/sbin")


class Clamd(Server):
    """On a socket in its folder or, with `port`, on a port of this machine. `options`: lines of its configuration."""

    name = "clamd"

    def __init__(self, folder: Path, *, port: int | None = None, options: dict[str, str] | None = None):
        super().__init__(folder)
        self.port = (port or free_port()) if port is not None else None
        self.options = options or {}

    @property
    def socket(self) -> Path:
        return self.folder / "clamd.ctl"

    @property
    def signatures(self) -> Path:
        return self.folder / "signatures"

    @property
    def url(self) -> str:
        """As ECARE_SCANNER takes it."""
        return f"clamd://{HOST}:{self.port}" if self.port else f"clamd://{self.socket}"

    def know(self, name: str, *, content: bytes = b"", text: bytes = b"") -> None:
        """From its next start on: a whole file by its digest (.hdb), or bytes anywhere in one (.ndb)."""
        self.signatures.mkdir(parents=True, exist_ok=True)
        if content:
            line = f"{hashlib.md5(content, usedforsecurity=False).hexdigest()}:{len(content)}:{name}\n"
            with (self.signatures / "own.hdb").open("a") as kept:
                kept.write(line)
        if text:
            with (self.signatures / "own.ndb").open("a") as kept:
                kept.write(f"{name}:0:*:{text.hex()}\n")

    def prepare(self) -> None:
        if not any(self.signatures.glob("*")):
            self.know("eCaRE.Nothing", content=HARMLESS)
        self.socket.unlink(missing_ok=True)
        own = {"DatabaseDirectory": str(self.signatures), "TemporaryDirectory": str(self._memory())}
        own |= {"TCPSocket": str(self.port), "TCPAddr": HOST} if self.port else {"LocalSocket": str(self.socket)}
        (self.folder / "clamd.conf").write_text(_configured(own | self.options, is_local=self.port is None))

    def _memory(self) -> Path:
        """Where it writes what it scans: memory, where this machine offers any."""
        memory = Path("/dev/shm")
        place = (memory if os.access(memory, os.W_OK) else self.folder) / f"clamd-{os.getuid()}-{self.folder.name}"
        place.mkdir(mode=0o700, exist_ok=True)
        return place

    def command(self) -> list[str]:
        found = program()
        if found is None:
            raise NotStarted(NO_CLAMD)
        return [found, "--config-file", str(self.folder / "clamd.conf")]

    def is_ready(self) -> bool:
        family, place = (socket.AF_INET, (HOST, self.port)) if self.port else (socket.AF_UNIX, str(self.socket))
        try:
            with socket.socket(family) as talk:
                talk.settimeout(1)
                talk.connect(place)
                talk.sendall(b"zPING\0")
                return talk.recv(16) == b"PONG\0"
        except OSError:
            return False

    def stop(self, *, seconds: float = 20) -> None:
        super().stop(seconds=seconds)
        shutil.rmtree(self._memory(), ignore_errors=True)


def _configured(own: dict[str, str], *, is_local: bool) -> str:
    """The lines of `clamd.conf`, those that say the same replaced."""
    left_out = {*own, *(("TCPSocket", "TCPAddr") if is_local else ())}
    lines = CONFIGURATION.read_text().splitlines()
    kept = [line for line in lines if line.partition(" ")[0] not in left_out]
    return "\n".join([*kept, *(f"{name} {value}" for name, value in own.items())]) + "\n"
