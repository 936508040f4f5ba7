"""Deeds that several people do at the same time."""

from collections.abc import Callable
from threading import Barrier, Thread

from django.db import connection

from applications.actions import NotNow


def at_once(*deeds: Callable, refusals: tuple[type[Exception], ...] = (NotNow,)) -> list:
    """Each deed in its own thread and connection, started together: what each gave, or which of these refusals it met.
    Anything else that one of them raises is raised here, once all have ended."""
    start, outcomes, faults = Barrier(len(deeds)), [None] * len(deeds), []

    def run(rank: int, deed: Callable) -> None:
        try:
            start.wait(timeout=10)
            outcomes[rank] = deed()
        except refusals as refusal:
            outcomes[rank] = refusal
        except Exception as fault:
            faults.append(fault)
        finally:
            connection.close()

    threads = [Thread(target=run, args=(rank, deed)) for rank, deed in enumerate(deeds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert not any(thread.is_alive() for thread in threads)
    for fault in faults:
        raise fault
    return outcomes
