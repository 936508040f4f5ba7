"""Where a reader stopped: signed, so that it comes back as it was given, and bound to what was asked for."""

from django.core import signing


class BadCursor(Exception):
    """Invented, altered, or of another question."""


def write(place: list, *, of: str, asked: list[str]) -> str:
    """`of`: the list that is read; `asked`: its filters."""
    return _signer(of).sign_object([*place, asked])


def read(cursor: str, *, of: str, asked: list[str]) -> list:
    try:
        *place, filters = _signer(of).unsign_object(cursor)
    except (signing.BadSignature, ValueError, TypeError):
        raise BadCursor from None
    if filters != asked:
        raise BadCursor
    return place


def _signer(of: str) -> signing.Signer:
    return signing.Signer(salt=f"systems.cursors.{of}")
