"""The whole of production on this machine, started once for the tests of this folder, which one process runs."""

import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
import requests

from deploy.local import Production
from deploy.portal import ROOT


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("production"))


@pytest.fixture(scope="session")
def production():
    """Nothing is taken from the environment of the tests: the settings are those of production."""
    subprocess.run([ROOT / "bin" / "static"], cwd=ROOT, check=True)
    folder = Path(tempfile.mkdtemp(prefix="ecare-production-"))
    started = Production(folder, durable=False)
    try:
        started.start()
        started.inside("deploy.people", "0")  # the directory, the terms, the domains
        yield started
    finally:
        started.forget()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def visit(production):
    """`visit(path)`: a browser without scripts, at the address of the portal."""
    session = requests.Session()
    session.verify = str(production.proxy.authority)
    session.trust_env = False

    def ask(path, method="GET", **more):
        more.setdefault("allow_redirects", False)
        more.setdefault("timeout", 30)
        address = path if path.startswith("http") else production.address + path
        return session.request(method, address, **more)

    ask.session = session
    yield ask
    session.close()
