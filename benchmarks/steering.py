"""What « Pilotage » and « Chiffres » cost with many dossiers: each reading of the database, then whole pages, first and
from the cache. CPU seconds are this process's own: they hold SQLite's work, not that of a PostgreSQL server."""

import os
import platform
import statistics
import time
from collections.abc import Callable

from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils import timezone
from django_otp import DEVICE_ID_SESSION_KEY

from accounts.models import BROWSER, OPENED_AT, SEEN_AT, SignInCode, User
from applications.models import Application, Domain
from benchmarks.dossiers import END, fill
from ecare.journal.models import Entry
from steering.readers import amounts, counts, stays, weeks
from steering.readers.snapshot import first_shown

ROUNDS = 3
PILOT = "/verification/pilotage/"


def main(number: int = 100_000) -> None:
    began = time.perf_counter()
    fill(number)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    made = time.perf_counter() - began
    print(f"{connection.vendor}, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}")
    print(
        f"{Application.objects.count()} dossiers, {Entry.objects.count()} entries of the journal, made in {made:.0f} s"
    )
    print(f"{'':60}  wall s   CPU s  (medians of {ROUNDS})")
    dossiers, domains = Application.objects.all(), list(Domain.objects.all())
    in_one_region = dossiers.filter(establishment__region="76")
    timed("counts", lambda: counts.count(dossiers, at=END))
    timed("amounts", lambda: amounts.add_up(dossiers))
    timed("stays", lambda: stays.measure(dossiers, until=END))
    timed("stays of one region", lambda: stays.measure(in_one_region, until=END))
    timed("26 weeks", lambda: weeks.happened(dossiers, since=first_shown(END), until=END))
    timed("weeks since the opening", lambda: weeks.happened(dossiers, since=None, until=END))
    _time_pages("ANS", signed_in(User.objects.create(username="ans", email="ans@mesure.example", role="ans")), PILOT)
    agent = User.objects.create(username="ars", email="ars@mesure.example", role="ars")
    agent.regions.set(["76"])
    _time_pages("ARS of one region", signed_in(agent), PILOT)
    _time_pages("everybody", Client(), f"/chiffres/{domains[0].slug}/")


def _time_pages(who: str, client: Client, address: str) -> None:
    def first():
        cache.clear()
        return client.get(address)

    assert first().status_code == 200
    timed(f"{address}, {who}, first", first)
    timed(f"{address}, {who}, from the cache", lambda: client.get(address))


def signed_in(user: User) -> Client:
    """Past the password and the code."""
    client = Client()
    client.force_login(user, backend="accounts.backends.ActivatedBackend")
    session = client.session
    session[DEVICE_ID_SESSION_KEY] = SignInCode.objects.create(user=user).persistent_id
    session[OPENED_AT] = session[SEEN_AT] = timezone.now().timestamp()
    session[BROWSER] = "benchmark"
    session.save()
    return client


def timed(what: str, work: Callable[[], object]) -> None:
    wall, cpu = [], []
    for _ in range(ROUNDS):
        started, used = time.perf_counter(), time.process_time()
        work()
        wall.append(time.perf_counter() - started)
        cpu.append(time.process_time() - used)
    print(f"{what:60} {statistics.median(wall):7.3f} {statistics.median(cpu):7.3f}", flush=True)
