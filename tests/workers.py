"""Celery's worker and beat as processes of their own, on the database of the tests: to be killed or frozen."""

import os
import sys
from pathlib import Path
from urllib.parse import quote

from django.db import connection

from deploy.processes import Server
from tests.ecare.test_production import GIVEN
from tests.portal import ROOT

CELERY = [str(Path(sys.executable).parent / "celery"), "--app=ecare"]


def database_url() -> str:
    """The database of this test."""
    given = connection.settings_dict
    person = quote(given["USER"]) + (f":{quote(given['PASSWORD'])}" if given["PASSWORD"] else "")
    where = given["HOST"] or given["OPTIONS"].get("host", "")
    return f"postgres://{person}@/{given['NAME']}?host={where}&port={given['PORT'] or 5432}"


def environment() -> dict[str, str]:
    """Nothing of what the tests set for themselves, but where programs are."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}


def variables(folder: Path, **more: str) -> dict[str, str]:
    """The settings of production, on this database."""
    return GIVEN | {"ECARE_DATA": str(folder / "data"), "DATABASE_URL": database_url()} | more


class OfCelery(Server):
    work: list[str]

    def __init__(self, folder: Path, given: dict[str, str], *, name: str = ""):
        super().__init__(folder)
        self.given, self.name = given, name or self.name

    def command(self):
        return [*CELERY, *self.work]

    def environment(self):
        return super().environment() | {"PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"} | self.given

    @property
    def workplace(self):
        return ROOT

    def is_ready(self):
        return True


class Worker(OfCelery):
    name = "worker"

    @property
    def work(self):
        quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        return ["worker", "--loglevel=INFO", "--concurrency=1", f"--hostname={self.name}@localhost", *quiet]

    def is_ready(self):
        return " ready." in self.said()


class Beat(OfCelery):
    name = "beat"

    @property
    def work(self):
        return ["beat", "--loglevel=INFO", f"--schedule={self.folder / 'schedule'}", "--pidfile="]

    def is_ready(self):
        return "beat: Starting" in self.said()
