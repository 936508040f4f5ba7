"""How an event is written on standard error: one JSON object per line, or a readable line in embedded mode (ADR 36).

No line says what a person typed. Our own sentences hold keys and references; of a library's line the sentence is kept,
and of what it puts in only numbers; of a fault its kind and where it happened, never its words.
"""

import json
import logging
import re
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

import structlog
from structlog.contextvars import get_contextvars

OURS = (
    "accounts", "applications", "conventions", "demo", "ecare", "establishments", "evidence", "exports", "funding",
    "privacy", "reviews", "steering", "systems", "webhooks",
)  # fmt: skip
"""Whose lines are read when they are written: what stands in them is a key, a reference or a kind of fault."""
ABOUT_THE_BROKER = ("celery.beat", "celery.worker.consumer", "kombu")
"""They know addresses of servers and names of tasks, and nothing of any person."""
OF_A_TASK = (
    "name",
    "id",
    "description",
    "hostname",
)  # of what Celery tells of one: neither its fault nor its arguments
FRAMES = 25
_TOKENS = re.compile(r"(ecare_\w{6})\w+")
_WARNING = re.compile(r"\S+:\d+: \w+")  # where, and of which kind
_LINKS = re.compile(
    r"(/(?:activation|invitation|mot-de-passe/nouveau|compte/adresse/confirmer|compte/adresse/arreter)/)[^\s/]+"
)
Fault = tuple[type[BaseException], BaseException, TracebackType | None]


def configuration(*, is_readable: bool, level: str) -> dict:
    """Of `logging`, for Django, the workers and gunicorn alike."""
    structlog.configure(
        processors=[structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    logging.captureWarnings(not is_readable)
    told = level if is_readable else _lower(level, "INFO")
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": Line, "is_readable": is_readable}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "stream": sys.stderr, "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "ecare.access": {"level": told},
            "ecare.work": {"level": told},
            "django": {"handlers": [], "level": level, "propagate": True},  # not by mail, as Django would
            "django.server": {"handlers": [], "level": level, "propagate": True},
            "gunicorn.error": {"handlers": [], "level": level, "propagate": True},
            "gunicorn.access": {"handlers": [], "level": "CRITICAL", "propagate": False},  # its lines hold addresses
        },
    }


def _lower(one: str, other: str) -> str:
    levels = logging.getLevelNamesMapping()
    return one if levels.get(one, logging.INFO) < levels[other] else other


class Line(structlog.stdlib.ProcessorFormatter):
    """Of an address that a letter gave, or of a token that stands in one, the beginning only: with the rest, whoever
    reads the logs could follow or show it."""

    def __init__(self, *, is_readable: bool = False):
        super().__init__(
            processors=[_Readable() if is_readable else _as_json], use_get_message=False, pass_foreign_args=True
        )


def _as_json(logger: Any, method: str, told: MutableMapping[str, Any]) -> str:
    record = told["_record"]
    return json.dumps(_kept(_facts(told) | _fault_of(told, record)), ensure_ascii=False, default=_kind)


class _Readable:
    """For whoever runs a demonstration, where everybody is invented: a fault is shown whole."""

    def __call__(self, logger: Any, method: str, told: MutableMapping[str, Any]) -> str:
        record, facts = told["_record"], _facts(told)
        at, level, name, event = (facts.pop(word) for word in ("at", "level", "logger", "event"))
        rest = " ".join(f"{name}={value}" for name, value in facts.items())
        lines = [f"{at} {level} {name} {event} {rest}".rstrip()]
        if fault := _fault(told, record):
            lines += traceback.format_exception(*fault)
        return _redacted("\n".join(line.rstrip("\n") for line in lines))


def _facts(told: MutableMapping[str, Any]) -> dict[str, Any]:
    """What a line says, but for a fault."""
    record = told["_record"]
    facts: dict[str, Any] = {
        "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname,
        "logger": record.name,
        "event": told["event"] if told["_from_structlog"] else _sentence(record, told),
    }
    facts |= {name: value for name, value in get_contextvars().items() if value}
    if told["_from_structlog"]:
        facts |= {
            name: value
            for name, value in told.items()
            if name not in ("event", "exc_info", "_record", "_from_structlog")
        }
    request = getattr(record, "request", None)
    if request is not None and "route" not in facts:
        facts["route"] = route_of(request)
    return facts


def route_of(request) -> str:
    """The name of the address that was asked for, never the address: it may hold a secret, or anything."""
    match = getattr(request, "resolver_match", None)
    return (match.view_name or "unnamed") if match else "none"


def _sentence(record: logging.LogRecord, told: MutableMapping[str, Any]) -> str:
    given = told.get("positional_args")
    if record.name == "py.warnings" and given and (warning := _WARNING.match(str(given[0]))):
        return warning[0]
    if not isinstance(record.msg, str):
        return _kind(record.msg)
    fault = _fault(told, record)
    if fault and record.msg == str(fault[1]):
        return fault[0].__name__
    try:
        return record.msg % _of_no_person(record.name, given) if given else record.msg
    except (TypeError, ValueError, KeyError):
        return record.msg


def _of_no_person(name: str, given):
    """What a line may put into its sentence."""
    if name.split(".", maxsplit=1)[0] in OURS or name.startswith(ABOUT_THE_BROKER):
        return given
    if isinstance(given, Mapping):
        return {word: value if word in OF_A_TASK or _is_number(value) else "…" for word, value in given.items()}
    return tuple(value if _is_number(value) else "…" for value in given)


def _is_number(value) -> bool:
    return isinstance(value, int | float)


def _fault(told: MutableMapping[str, Any], record: logging.LogRecord) -> Fault | None:
    found = told.get("exc_info")
    if isinstance(found, BaseException):
        return type(found), found, found.__traceback__
    if found is True:
        found = sys.exc_info()
    return found if isinstance(found, tuple) and found[0] is not None else None


def _fault_of(told: MutableMapping[str, Any], record: logging.LogRecord) -> dict[str, list[dict]]:
    """Of each fault, and of what caused it: its kind, its code where it has one, and the lines that led to it."""
    found = _fault(told, record)
    links, one = [], found[1] if found else None
    while one is not None and len(links) < 5:
        frames = traceback.extract_tb(one.__traceback__)[-FRAMES:]
        at = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        links.append({"type": _kind(one), "code": _code(one), "at": at})
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
    return {"fault": links} if links else {}


def _code(fault: BaseException) -> str:
    """Of the system, the database or the mail server: it says much, and nothing of a person."""
    codes = (getattr(fault, name, None) for name in ("sqlstate", "sqlite_errorname", "errno", "smtp_code"))
    return next((str(code) for code in codes if code is not None), "")


def _kind(value) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"


def _redacted(text: str) -> str:
    return _TOKENS.sub(r"\1…", _LINKS.sub(r"\1…", text))


def _kept(value):
    if isinstance(value, str):
        return _redacted(value)
    if isinstance(value, Mapping):
        return {name: _kept(one) for name, one in value.items()}
    return [_kept(one) for one in value] if isinstance(value, list | tuple) else value
