"""One reference follows a click through web and worker: made at the door, kept on the rows that cause background work,
taken up again by whoever works on them (ADR 36)."""

import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from structlog.contextvars import bound_contextvars, get_contextvars

WELL_FORMED = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{7,63}")
LENGTH = 64
log = structlog.get_logger("ecare.work")


def new() -> str:
    """16 signs, which somebody can read out on the telephone."""
    return secrets.token_hex(8)


def accepted(given: str) -> str:
    """What a proxy that we trust calls the request, if that is a reference; else one of ours."""
    return given if WELL_FORMED.fullmatch(given) else new()


def current() -> str:
    """The reference of what is under way; empty for what began by itself."""
    return get_contextvars().get("request_id", "")


@contextmanager
def work(kind: str, row: object, *, request_id: str) -> Iterator[None]:
    """Work on a row that a click left: what is logged and written meanwhile carries its reference; one line at the end.

    `row`: a key or number, never words of a person."""
    began = time.monotonic()
    with bound_contextvars(request_id=request_id):
        try:
            yield
        except Exception as fault:
            log.warning("work", kind=kind, row=str(row), ms=_since(began), outcome=type(fault).__name__)
            raise
        log.info("work", kind=kind, row=str(row), ms=_since(began), outcome="done")


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
