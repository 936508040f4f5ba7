"""`make run` is one process that needs nothing else, and that Ctrl-C ends."""

import signal
import socket
import subprocess
import sys

import pytest

from tests.portal import ROOT, environment, running, start, status, wait_for

WRITE_A_LETTER = """
from ecare.letters.models import Letter
Letter.objects.create(name="trial", recipient="camille@exemple.fr", title="Essai", text="Texte", html="<p>Texte</p>")
"""


def test_it_starts_delivers_stops_and_starts_again_with_its_data(tmp_path):
    folder = tmp_path / "data"
    with running(folder) as (port, process):
        assert status(port, "/") == 200 and status(port, "/boite-aux-lettres/") == 200
        said = []
        while "Ctrl-C" not in (said[-1] if said else ""):
            said.append(process.stdout.readline())
        text = "".join(said)
        assert f"http://127.0.0.1:{port}/" in text and "/boite-aux-lettres/" in text
        assert "chu.montpellier" in text and "administrateur" in text
        command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", WRITE_A_LETTER]
        subprocess.run(command, cwd=ROOT, env=environment(folder, port) | {"ECARE_EMBEDDED": "true"}, check=True)
        wait_for(lambda: list(folder.glob("mail/*.eml")), seconds=30, what="the letter did not leave")
    for private in ("secret_key", "vault_key", "ecare.sqlite3"):
        assert (folder / private).stat().st_mode & 0o077 == 0
    with running(folder, ending=signal.SIGTERM) as (port, process):
        assert status(port) == 200
        line = process.stdout.readline()
        assert "Première mise en route" not in line, "the demo is loaded once"


def test_a_port_that_is_taken_is_said_in_one_sentence(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = start(tmp_path, taken.getsockname()[1])
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert said.startswith("Le port ") and said.count("\n") == 1


@pytest.mark.parametrize("port", ["http", "0", "65536", "-1"])
def test_what_is_no_port_is_said_in_one_sentence(tmp_path, port):
    process = start(tmp_path, port)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert said.startswith(f"PORT={port}") and said.count("\n") == 1
