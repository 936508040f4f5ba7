"""Portals as processes of their own: one that is filled and backed up, others that it is brought back to."""

import base64
import os
import shutil
import subprocess
import sys
import uuid
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from deploy.postgres import programs as programs_of_postgres
from tests.portal import ROOT

KEYS = [f"{year}:{base64.b64encode(bytes([year % 100] * 32)).decode()}" for year in (2026, 2025)]
SECRET_KEY = "un-secret-tiré-au-sort-pour-les-portails-des-sauvegardes-0123456789"


FILL = """
from tests.evidence.conftest import dossier_with, put_in, transmit
from tests.evidence.pool import dossier_that_asks, fill_pool
from tests.factories import UserFactory
from demo.specimens import pdf
from ecare.letters.emails import compose
UserFactory(username="camille", first_name="Camille")
for number in range(4):
    dossier = dossier_with({})
    for rank in range(3):
        put_in(dossier, pdf(300_000 * rank, line=f"{number} {rank}"), name=f"{rank}.pdf")
    transmit(dossier)
fill_pool(dossier_that_asks(), 2)
compose("code", to="camille@exemple.fr", secret="12345678", context={"minutes": 10}).save()
"""


class Portal:
    """Database, vault and keys of its own; commands run in it as an operator runs them."""

    def __init__(self, folder: Path, store=None):
        self.folder = folder
        folder.mkdir(parents=True)
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
        self.variables = kept | {
            "ECARE_EMBEDDED": "true",
            "ECARE_TESTING": "true",
            "ECARE_DATA": str(folder),
            "DJANGO_SETTINGS_MODULE": "ecare.settings",
            "ECARE_VAULT_KEYS": ",".join(KEYS),
            "SECRET_KEY": SECRET_KEY,
            "PYTHONWARNINGS": "ignore",
        }
        if "DATABASE_URL" in os.environ:
            self._use_postgresql()
        if store is not None:
            bucket = f"vault-{uuid.uuid4().hex}"
            store.make_bucket(bucket)
            self.variables |= store.variables(bucket)

    def _use_postgresql(self) -> None:
        """The wheel's programs are found in PATH, as those of postgresql-client are."""
        name = f"drill_{uuid.uuid4().hex}"
        with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
            server.execute(f"CREATE DATABASE {name}")
        parts = urlsplit(os.environ["DATABASE_URL"])
        self.variables["DATABASE_URL"] = urlunsplit(parts._replace(path=f"/{name}"))
        self.variables["PATH"] = f"{programs_of_postgres()}:{self.variables['PATH']}"

    def start(self, *command, **changes) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, *map(str, command)],
            cwd=ROOT,
            env=self.variables | changes,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *command, **changes) -> tuple[int, str]:
        process = self.start(*command, **changes)
        said, _ = process.communicate(timeout=300)
        return process.returncode, said

    def manage(self, *command, **changes) -> str:
        """What it said; it must end well."""
        code, said = self.run("manage.py", *command, **changes)
        assert code == 0, said
        return said

    def refused(self, *command, **changes) -> str:
        code, said = self.run("manage.py", *command, **changes)
        assert code == 1, said
        assert "Traceback" not in said
        return said

    def python(self, script: str, *arguments, **changes) -> str:
        code, said = self.run("-c", f"import django; django.setup()\n{script}", *arguments, **changes)
        assert code == 0, said
        return said


@pytest.fixture(scope="session")
def portal(tmp_path_factory):
    """With a few people, dossiers, files, containers and letters; read, never changed."""
    found = Portal(tmp_path_factory.mktemp("portal") / "data")
    fill(found)
    return found


def fill(portal: Portal) -> None:
    portal.manage("migrate", "--verbosity=0")
    portal.manage("createcachetable", "--verbosity=0")
    portal.python(FILL)


@pytest.fixture(scope="session")
def backup(portal, tmp_path_factory) -> Path:
    """Made once; tests damage copies of it."""
    folder = tmp_path_factory.mktemp("backups") / "backup"
    portal.manage("backup", folder)
    return folder


@pytest.fixture
def copy(backup, tmp_path) -> Path:
    return shutil.copytree(backup, tmp_path / "copy")


@pytest.fixture
def elsewhere(tmp_path) -> Portal:
    """An empty place with the same keys."""
    return Portal(tmp_path / "elsewhere")
