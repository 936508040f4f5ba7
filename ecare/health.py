"""`/sante/`: what is alive and what is ready, by name; `/sante/vivant/`: this process answers, nobody else is asked.

Only what a page cannot do without takes a node out of service (503): the database and its tables. A portal without a
worker, a scanner or its store still takes answers and sendings, and every node would leave at once (ADR 36).
"""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooSlow
from dataclasses import dataclass, field
from functools import cache as once
from threading import Lock

from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.core.files.storage import default_storage
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.http import JsonResponse
from django.utils.module_loading import import_string
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

PULSE = "pulse"
PULSE_EVERY, PULSE_LASTS = 5, 20  # seconds
PATIENCE = 2.0
"""Seconds for all checks together, which run beside each other."""
REMEMBERED = 1.0
"""Seconds: whoever polls, and however often, the dependencies are asked once."""


class NotReady(Exception):
    """A check says no; why is for whoever reads the code."""


@dataclass
class Check:
    """`path`: a function that raises when what it asks does not answer; `stops`: no page works without it."""

    path: str
    stops: bool = False
    asked: Future | None = field(default=None, repr=False)


CHECKS = {
    "database": Check("ecare.health.check_database", stops=True),
    "migrations": Check("ecare.health.check_migrations", stops=True),
    "background": Check("ecare.health.check_background"),
    "storage": Check("ecare.health.check_storage"),
}
_lock = Lock()
_pool = ThreadPoolExecutor(max_workers=16, thread_name_prefix="health")
_latest: tuple[float, dict[str, bool]] = (0.0, {})


def check(name: str, path: str, *, stops: bool = False) -> None:
    """Of a room (`apps.py`): one more thing that `/sante/` asks."""
    CHECKS[name] = Check(path, stops)


# --- beat, the broker and a worker ----------------------------------------------------------------------------------
def beat_pulse() -> None:
    """Called each second by a task: proves that beat ticks, that the broker carries and that a worker works."""
    last = cache.get(PULSE)
    if last is None or time.time() - last > PULSE_EVERY:
        cache.set(PULSE, time.time(), timeout=PULSE_LASTS)


def forget_pulse() -> None:
    """A pulse from before this start says nothing about it."""
    cache.delete(PULSE)


# --- the checks -----------------------------------------------------------------------------------------------------
def check_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def check_migrations() -> None:
    _check_migrations()


def check_background() -> None:
    if cache.get(PULSE) is None:
        raise NotReady("no pulse")


def check_storage() -> None:
    default_storage.exists("sante")


@once
def _check_migrations() -> None:
    """Once all is applied it stays so for the life of this process."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise NotReady("not migrated")


def report() -> dict[str, bool]:
    """What is ready, by name; in PATIENCE at most, whatever is frozen."""
    global _latest  # noqa: PLW0603 # of this process
    with _lock:
        at, state = _latest
        if not state or time.monotonic() - at > REMEMBERED:
            state = _ask_all()
            _latest = (time.monotonic(), state)
    return dict(state)


def _ask_all() -> dict[str, bool]:
    """One that still waits for its last answer is not asked again: no thread piles up behind what is frozen."""
    for one in CHECKS.values():
        if one.asked is None or one.asked.done():
            one.asked = _pool.submit(_ask, one.path)
    end = time.monotonic() + PATIENCE
    return {name: _answer(one.asked, end) for name, one in CHECKS.items()}


def _answer(asked: Future | None, end: float) -> bool:
    try:
        return bool(asked) and asked.result(max(0.0, end - time.monotonic()))
    except TooSlow:
        return False


def _ask(path: str) -> bool:
    asked: Callable[[], None] = import_string(path)
    try:
        asked()
    except Exception:  # noqa: BLE001 # whatever it is, it is not ready; the metrics and the logs of its own say more
        return False
    finally:
        connections.close_all()
    return True


def is_ready(state: dict[str, bool]) -> bool:
    return all(state[name] for name, one in CHECKS.items() if one.stops)


# --- the pages ------------------------------------------------------------------------------------------------------
@require_safe
@never_cache
@login_not_required
def health(request):
    """200 when this node may serve, else 503; each dependency by name."""
    state = report()
    ready = is_ready(state)
    return _quiet(JsonResponse({"alive": True, "ready": ready, "checks": state}, status=200 if ready else 503))


@require_safe
@never_cache
@login_not_required
def alive(request):
    """This process answers. Nothing else is asked, so that a frozen database makes nobody restart it."""
    return _quiet(JsonResponse({"alive": True}))


def _quiet(response):
    response._has_been_logged = True  # else Django logs an error at each poll
    return response
