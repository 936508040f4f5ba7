"""`python -m deploy.local`: every process of production on this machine, without Docker; Ctrl-C ends them.

PostgreSQL, Valkey, an object store, an antivirus, a mail server that keeps what it gets, the portal (web, worker, beat)
and the proxy with TLS. The object store holds its files in memory: each start begins with an empty portal.
"""

import base64
import secrets
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Self

from deploy.clamav import Clamd
from deploy.mail import MailSink
from deploy.object_store import ObjectStore
from deploy.portal import ROOT, Beat, Web, Worker
from deploy.postgres import Postgres
from deploy.processes import NotStarted, Server
from deploy.proxy import Proxy
from deploy.valkey import Valkey

FOLDER = ROOT / "var" / "production"
PORT = 8443
BUCKET = "ecare"


class Production:
    """The servers by their names; `web`, `worker` and `beat` are told where the others are."""

    def __init__(self, folder: Path, *, port: int = 0, durable: bool = True, **settings: str):
        self.folder = Path(folder).resolve()
        self.postgres = Postgres(self.folder / "postgres", durable=durable)
        self.valkey = Valkey(self.folder / "valkey")
        self.mail = MailSink(self.folder / "mail")
        self.store = ObjectStore(self.folder / "store")
        self.clamd = Clamd(self.folder / "clamd", port=0)
        self.variables = self._variables() | settings
        self.web = Web(self.folder / "portal", self.variables)
        self.proxy = Proxy(self.folder / "proxy", to=f"127.0.0.1:{self.web.port}", port=port)
        address = {"ECARE_ADDRESS": self.proxy.address, "ALLOWED_HOSTS": "localhost"}
        self.variables |= address
        self.web.variables |= address
        self.worker = Worker(self.folder / "portal", self.variables, concurrency=4)
        self.beat = Beat(self.folder / "portal", self.variables)

    @property
    def address(self) -> str:
        return self.proxy.address

    @property
    def servers(self) -> list[Server]:
        """In the order in which they start: what a server needs comes before it."""
        portal = [self.web, self.worker, self.beat, self.proxy]
        return [self.postgres, self.valkey, self.mail, self.store, self.clamd, *portal]

    @property
    def mortal(self) -> list[Server]:
        """Those that may be killed: the store would forget what it holds, as no real one does."""
        return [server for server in self.servers if server is not self.store]

    def _variables(self) -> dict[str, str]:
        return {
            "SECRET_KEY": self._kept("secret_key", lambda: secrets.token_urlsafe(64)),
            "ECARE_VAULT_KEYS": self._kept("vault_keys", lambda: f"local:{_random_key()}"),
            "DATABASE_URL": self.postgres.url("ecare"),
            "REDIS_URL": self.valkey.url,
            "EMAIL_URL": self.mail.url,
            "ECARE_SCANNER": self.clamd.url,
            **self.store.variables(BUCKET),
            "ECARE_DATA": str(self.folder / "data"),
            "ECARE_PROXIES": "1",
            "ECARE_WEB_PROCESSES": "2",
            "ECARE_HOSTING": "Cette machine, pour un essai",
        }

    def _kept(self, name: str, make) -> str:
        """A key of this folder, made at its first start, readable by its owner alone."""
        path = self.folder / name
        if not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(make())
        return path.read_text()

    def start(self) -> Self:
        try:
            for server in self.servers:
                if server is self.web:
                    self.release()
                server.start()
        except BaseException:
            self.stop()
            raise
        return self

    def release(self) -> None:
        """What is done once before the processes of a version start; again without effect."""
        if not (self.postgres.home / "created").exists():
            self.postgres.run("createdb", "-h", self.postgres.home, "-U", "ecare", "ecare")
            (self.postgres.home / "created").touch()
        self._tell_keys()
        for command in RELEASE:
            self.web.manage(*command)

    def _tell_keys(self) -> None:
        """The store makes its key when it starts."""
        self.store.make_bucket(BUCKET)
        for process in (self.web, self.worker, self.beat):
            process.variables |= self.store.variables(BUCKET)

    def stop(self) -> None:
        for server in reversed(self.servers):
            server.stop()

    def inside(self, module: str, *arguments: str, stdin: str = "") -> str:
        """What a module says that runs with the settings of the portal. Raises NotStarted."""
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            env=self.web.environment(),
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise NotStarted(f"{module} failed:\n{done.stderr[-4000:]}")
        return done.stdout

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exception) -> None:
        self.stop()

    def forget(self) -> None:
        """End, and leave no database behind."""
        self.stop()
        self.postgres.forget()


RELEASE = [
    ["migrate", "--no-input", "--verbosity=0"],
    ["createcachetable"],
]


def _random_key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    Production(FOLDER).postgres.forget()
    shutil.rmtree(FOLDER, ignore_errors=True)
    production = Production(FOLDER, port=PORT)
    try:
        with production:
            print(f"\neCaRE\u00a0: {production.address}/ (certificat de {production.proxy.authority})")
            print(f"Courriers reçus\u00a0: {production.mail.kept}/new", flush=True)
            signal.pause()
    except NotStarted as fault:
        sys.exit(str(fault))
    except KeyboardInterrupt:
        print()


if __name__ == "__main__":
    main()
