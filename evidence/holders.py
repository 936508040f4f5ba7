"""Where a file of a dossier stands that is in no space of its forms. Rooms above name their own (`apps.py`)."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.module_loading import import_string

HOLDERS = {"bank_details": "RIB d’un changement de compte"}
"""The relation that leads from such a file to a row with its `application`, and what the file is called."""
_REOPENINGS = {"bank_details": "evidence.bank.reopen"}


@dataclass(frozen=True)
class Place:
    """Where a file stands that nobody reads any more, and whether the référent may put another in its stead."""

    label: str
    path: str
    """The référent's page."""
    is_open: bool
    is_sent: bool = True
    leaves_at_once: bool = True
    """The other file is sent as it comes; else with the next sending of the step."""


def may_hold(relation: str, label: str, *, reopen: str) -> None:
    """A room above says where it keeps files. `reopen`: the path of a function of (row, application, instant), called
    on a locked dossier when the file of the row was found infected: it makes way for another, and returns the Place;
    None when the row is history."""
    HOLDERS[relation], _REOPENINGS[relation] = label, reopen


def application_of(file):
    """The dossier that holds the file, wherever; None for a container of the pool."""
    for relation in ("evidence", *HOLDERS, "container"):
        row = getattr(file, relation, None)
        if row is not None and row.application is not None:
            return row.application
    return None


def reopened_place(file, application, at: datetime) -> Place | None:
    """Of a file that rooms hold beside the spaces: the first place that may be filled anew, else any."""
    rows = [(relation, row) for relation in HOLDERS if (row := getattr(file, relation, None)) is not None]
    places = [import_string(_REOPENINGS[relation])(row, application, at) for relation, row in rows]
    found = [place for place in places if place is not None]
    return next((place for place in found if place.is_open), found[0] if found else None)
