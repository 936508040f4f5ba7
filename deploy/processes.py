"""Servers started from what the wheels and Debian install, for `make prod-local` and the tests: each in a folder of its
own, on a port or socket of its own, waited for until it answers; then ended, killed or frozen."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import psutil

HOST = "127.0.0.1"
PATIENCE = 60  # seconds until a server answers


class NotStarted(Exception):
    """A server ended, or did not answer in time; what it wrote is in the message."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def answers(port: int) -> bool:
    """Whether somebody listens on this port of this machine."""
    try:
        with socket.create_connection((HOST, port), timeout=1):
            return True
    except OSError:
        return False


def wait_for(condition: Callable[[], object], *, what: str, seconds: float = PATIENCE) -> None:
    """Until it holds: the other process has its own clock. Raises NotStarted."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise NotStarted(what)
        time.sleep(0.05)


class Server:
    """One process with its children; `folder` holds all that it writes, its output in `<name>.log`.

    What a server is says its class: `command`, `environment`, `is_ready`, and `prepare` for what it needs once.
    """

    name = "server"
    ending = signal.SIGTERM
    identity: dict = {}
    """Of subprocess.Popen: as whom it runs, where root may not."""

    def __init__(self, folder: Path):
        self.folder = Path(folder)
        self.process: subprocess.Popen | None = None

    # --- what each says of itself ---
    def prepare(self) -> None:
        """Before each start: its folder, its configuration."""

    def command(self) -> list[str]:
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        """Nothing of the caller's but where programs are."""
        return {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}

    def is_ready(self) -> bool:
        raise NotImplementedError

    # --- life ---
    def start(self, *, wait: bool = True) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.prepare()
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self.environment(),
                cwd=self.workplace,
                start_new_session=True,  # a signal reaches its children too, and Ctrl-C only us
                **self.identity,
            )
        if wait:
            self.wait()
        return self

    def wait(self) -> None:
        """Until it answers. Raises NotStarted."""
        try:
            wait_for(lambda: not self.is_running or self.is_ready(), what=f"{self.name} does not answer")
        except NotStarted:
            self.kill()
            raise NotStarted(f"{self.name} does not answer:\n{self.said()}") from None
        if not self.is_running:
            raise NotStarted(f"{self.name} ended:\n{self.said()}")

    def stop(self, *, seconds: float = 20) -> None:
        """As a service manager would; what does not end in time is killed."""
        if self.process is None:
            return
        if self.is_running:
            self.process.send_signal(self.ending)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
        self.kill()

    def kill(self) -> None:
        """At once, its children with it."""
        if self.process is None:
            return
        self.signal(signal.SIGKILL)
        self.process.wait(10)
        self.process = None

    def freeze(self) -> None:
        """It keeps its connections and answers nothing."""
        self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.signal(signal.SIGCONT)

    def signal(self, number: int) -> None:
        """To it and to its children, some of which lead a session of their own."""
        for one in self.family():
            with contextlib.suppress(psutil.NoSuchProcess):
                one.send_signal(number)

    def family(self) -> list[psutil.Process]:
        """Itself, then its children and theirs; nobody once it ended."""
        try:
            parent = psutil.Process(self.process.pid) if self.process else None
            return [parent, *parent.children(recursive=True)] if parent else []
        except psutil.NoSuchProcess:
            return []

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    # --- where ---
    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    @property
    def workplace(self) -> Path:
        return self.folder

    def said(self) -> str:
        """The end of what it wrote."""
        return self.log.read_text(errors="replace")[-4000:] if self.log.exists() else ""

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exception) -> None:
        self.stop()
