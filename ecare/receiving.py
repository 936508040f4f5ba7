"""Which files a page takes, said beside its view: whatever else is sent to it is thrown away as it comes."""

from collections.abc import Callable
from typing import NamedTuple

MEGABYTE = 1024 * 1024
MANY = 100  # files of a field: as many as a request may carry (DATA_UPLOAD_MAX_NUMBER_FILES)
ANY = "*"
"""In the place of a field's name: every field that is not named."""


class Intake(NamedTuple):
    """Whose files, by their roles, and the most bytes of a file by the name of its field. Of the files of a field,
    those after the first `files` are only known to have come."""

    roles: tuple[str, ...]
    limits: dict[str, int]
    files: int

    def limit(self, user, field: str, rank: int) -> int | None:
        """The most bytes to keep of the file that comes in this rank of its field; None: nothing at all."""
        if getattr(user, "role", None) not in self.roles:
            return None
        limit = self.limits.get(field, self.limits.get(ANY))
        return limit if limit is None or rank < self.files else 0


def receives(*roles: str, files: int = 1, **limits: int) -> Callable:
    """Of a view: it takes files from whoever has one of these roles, in these fields, each of at most so many bytes. A
    body is read before the view of its page runs, so that this is read from the view itself."""

    def declared(view):
        view.intake = Intake(roles, limits, files)
        return view

    return declared


def intake_of(request) -> Intake | None:
    """What the page that this request goes to takes."""
    match = request.resolver_match
    return getattr(match.func, "intake", None) if match else None
