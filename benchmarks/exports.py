"""What both lists of the dossiers cost to export, in time and in memory. CPU seconds are this process's own: they hold
SQLite's work, not that of a PostgreSQL server."""

import os
import platform
import resource
import sys
import time

from django.core.files.storage import default_storage
from django.db import connection, connections
from django.utils import timezone

from accounts.models import User
from exports import actions, builders
from exports.models import Export
from tests.exports.many import domain_of_many, many_dossiers
from tests.factories import UserFactory

AT_ONCE = 5_000  # dossiers made


def main(number: int = 100_000) -> None:
    began = time.perf_counter()
    _apart(number)
    made = time.perf_counter() - began
    print(f"{connection.vendor}, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}")
    print(
        f"{number} dossiers, both steps sent, made in {made:.0f} s; before the first list {_most():.0f} MiB", flush=True
    )
    for kind in (Export.Kind.QUEUE_CSV, Export.Kind.QUEUE_XLSX):
        _measure(kind)


def _apart(number: int) -> None:
    """In a process of its own, so that the memory which making them takes does not count."""
    connections.close_all()
    pid = os.fork()
    if pid == 0:
        _fill(number)
        connections.close_all()
        os._exit(0)
    if os.waitpid(pid, 0)[1]:
        sys.exit("The dossiers could not be made.")


def _fill(number: int) -> None:
    UserFactory(ans=True, username="agent")
    domain = domain_of_many()
    for made in range(0, number, AT_ONCE):
        many_dossiers(min(AT_ONCE, number - made), domain=domain)


def _most() -> float:
    """The most memory that this process ever held, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _measure(kind: str) -> None:
    agent = User.objects.get(username="agent")
    asked = actions.ask(kind, what="etat=tous", label="Tous", by=agent, at=timezone.now())
    wall, work = time.perf_counter(), time.process_time()
    builders.build()
    wall, work = time.perf_counter() - wall, time.process_time() - work
    export = Export.objects.get(pk=asked.pk)
    assert export.state == Export.State.READY, export.error
    sealed = default_storage.size(export.storage_name)
    print(
        f"{kind}: {export.done} dossiers, {wall:.0f} s, {work:.0f} s of CPU, {export.size / 2**20:.0f} MiB "
        f"({sealed / 2**20:.0f} sealed), at most {_most():.0f} MiB of memory",
        flush=True,
    )
