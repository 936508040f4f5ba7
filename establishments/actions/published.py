"""What an import needs to be given: the lines of the published files, as `readers` hands them over."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any


@dataclass(slots=True)
class Line:
    """One line of a published file: its key, its values in the order of the extract's fields, what is wrong with it."""

    number: int
    key: Any
    values: tuple = ()
    faults: list[str] = field(default_factory=list)
    refusal: str = ""


@dataclass
class Extract:
    """The lines of one published file; `stamp` is the day on which it was extracted, where the file says so."""

    file: str
    fields: list[str]
    stamp: str = ""
    lines: list[Line] = field(default_factory=list)


@dataclass
class Directory:
    """What `readers.read_folder` found; an extract left out leaves its part of the directory as it is."""

    regions: Extract | None = None
    departments: Extract | None = None
    legal_entities: Extract | None = None
    sites: Extract | None = None
    ghts: Extract | None = None
    activities: Extract | None = None

    def extracts(self) -> list[Extract]:
        return [extract for extract in vars(self).values() if extract]


# A bar with `update(n)`, opened with a label and a total: tqdm, or nothing at all.
Progress = Callable[[str, int], AbstractContextManager[Any]]


def quiet(label: str, total: int) -> AbstractContextManager[Any]:
    return nullcontext(SimpleNamespace(update=lambda _: None))
