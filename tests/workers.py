"""What a process of its own (deploy/portal.py) is given to work on the database of the tests."""

import os
from pathlib import Path
from urllib.parse import quote

from django.db import connection

from tests.ecare.test_production import GIVEN


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
