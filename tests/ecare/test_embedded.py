"""`make run` is one process that needs nothing else, and that Ctrl-C ends."""

import re
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from ecare.embedded import announce
from ecare.health import forget_pulse
from tests.portal import ROOT, environment, running, start, status, wait_for

WRITE_A_LETTER = """
from ecare.letters.models import Letter
Letter.objects.create(name="trial", recipient="camille@exemple.fr", title="Essai", text="Texte", html="<p>Texte</p>")
"""


MOST_MEMORY = 400 * 2**20  # bytes, all its processes together


def memory_of(process) -> int:
    """Bytes of a process and its children, what they share counted once."""
    parents = {}
    for status_file in Path("/proc").glob("[0-9]*/status"):
        with suppress(OSError):  # a process that has just ended
            parents[int(status_file.parent.name)] = int(
                re.search(r"^PPid:\s(\d+)", status_file.read_text(), re.MULTILINE)[1]
            )
    family = {process.pid}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    maps = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in family]
    return sum(
        int(kilobytes) * 1024 for text in maps for kilobytes in re.findall(r"^Pss: +(\d+) kB", text, re.MULTILINE)
    )


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
        if Path("/proc/self/smaps_rollup").exists():
            assert memory_of(process) < MOST_MEMORY


@pytest.mark.django_db(transaction=True)
def test_what_does_not_become_ready_is_named_and_waited_for_no_longer(capsys):
    forget_pulse()
    announce(8000, patience=0)
    said = capsys.readouterr().out
    assert "Il manque : les tâches de fond." in said.replace("\u00a0", " ") and "http" not in said


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
