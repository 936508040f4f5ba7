"""What the rooms say of their letters: which must still be true when they leave, which may wait for the daily letter.

The ledger knows no room: each names its own functions by path (`apps.py`), and they are looked up when a letter leaves.
"""

from collections.abc import Callable
from datetime import datetime

from django.utils.module_loading import import_string

_TRUTHS: dict[str, list[str]] = {}
_PATIENT: set[str] = set()
_GATHERERS: list[str] = []
_CALLS: set[str] = set()
_LAST: set[str] = set()
NOBODY = "personne@efface.invalid"
"""In the place of the mailbox of somebody whose data were erased."""


def check_before_sending(name: str, path: str) -> None:
    """`path`: a function of (letter, instant) that says whether a letter of this name is still worth sending; one of
    several, if its name has several."""
    paths = _TRUTHS.setdefault(name, [])
    if path not in paths:
        paths.append(path)


def may_wait(*names: str) -> None:
    """Letters of these names are gathered for whoever chose one letter a day; all others leave at once."""
    _PATIENT.update(names)


def waits(name: str) -> bool:
    """Whether a room said that letters of this name may wait."""
    return name in _PATIENT


def call_to_act(*names: str) -> None:
    """Letters of these names ask their recipient to do something: moot for whoever may not any more."""
    _CALLS.update(names)


def calls_to_act() -> frozenset[str]:
    return frozenset(_CALLS)


def last_word(*names: str) -> None:
    """Letters of these names are the last that somebody gets: once they left, neither words nor mailbox remain."""
    _LAST.update(names)


def last_words() -> frozenset[str]:
    return frozenset(_LAST)


def gather_for(path: str) -> None:
    """`path`: a function of an address that says whether its owner chose one letter a day."""
    _GATHERERS.append(path)


def is_still_true(letter, at: datetime) -> bool:
    return all(_function(path)(letter, at) for path in _TRUTHS.get(letter.name, ()))


def is_gathered(letter) -> bool:
    """Whether this letter waits for the daily letter of its recipient."""
    if not waits(letter.name) or letter.carries_secret:
        return False
    return any(_function(path)(letter.recipient) for path in _GATHERERS)


def _function(path: str) -> Callable[..., bool]:
    return import_string(path)
