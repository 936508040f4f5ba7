"""`/sante/`: is all ready? The database answers, its tables are current, beat and a worker are alive."""

import time
from functools import cache as once

from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

PULSE = "pulse"
PULSE_EVERY, PULSE_LASTS = 5, 20  # seconds


class NotMigrated(Exception):
    """Some migration is not applied."""


def beat_pulse() -> None:
    """Called each second by a task: proves that beat ticks, that the broker carries and that a worker works."""
    last = cache.get(PULSE)
    if last is None or time.time() - last > PULSE_EVERY:
        cache.set(PULSE, time.time(), timeout=PULSE_LASTS)


def forget_pulse() -> None:
    """A pulse from before this start says nothing about it."""
    cache.delete(PULSE)


def report() -> dict[str, bool]:
    """What is ready, by name."""
    state = {"database": False, "migrations": False, "background": False}
    try:
        connection.ensure_connection()
        state["database"] = True
        _check_migrations()
        state["migrations"] = True
        state["background"] = cache.get(PULSE) is not None
    except (DatabaseError, NotMigrated):
        pass
    return state


@require_safe
@never_cache
@login_not_required
def health(request):
    """200 once all is ready, else 503."""
    state = report()
    response = JsonResponse(state, status=200 if all(state.values()) else 503)
    response._has_been_logged = True  # type: ignore[attr-defined] # else Django logs an error at each poll
    return response


@once
def _check_migrations() -> None:
    """Raises NotMigrated; once all is applied it stays so for the life of this process."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise NotMigrated
