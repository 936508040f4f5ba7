"""A portal started as `make run` starts it: a process of its own, a folder of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

ROOT = Path(__file__).parents[1]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment(folder, port):
    """Nothing of what the tests set for themselves."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")}
    return kept | {"ECARE_DATA": str(folder), "PORT": str(port), "PYTHONUNBUFFERED": "1"}


def start(folder, port):
    command = [sys.executable, "-m", "ecare.embedded"]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment(folder, port), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def wait_for(condition, *, seconds, what):
    """What the condition finds, once it finds something: the process under test has its own clock."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, what
        time.sleep(0.1)
    return found


def status(port, path="/sante/"):
    web = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        web.request("GET", path)
        return web.getresponse().status
    except OSError:
        return None
    finally:
        web.close()


@contextmanager
def running(folder, *, ending=signal.SIGINT):
    """The portal, ready; ended as Ctrl-C or a service manager would."""
    port = free_port()
    process = start(folder, port)
    try:
        wait_for(lambda: process.poll() is not None or status(port) == 200, seconds=120, what="the portal is not ready")
        assert process.poll() is None, process.stdout.read()
        yield port, process
    finally:
        process.send_signal(ending)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        finally:
            process.stdout.close()
    assert process.returncode == 0
    assert status(port) is None
