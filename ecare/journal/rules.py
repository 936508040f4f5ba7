"""What the rooms say of their entries: after which of them the name of a file is shown no more; and who is told of the
anchor of a day.

The ledger knows no room, and an entry is never altered: only what pages show of it is.
"""

from collections.abc import Collection

from django.utils.module_loading import import_string

NO_NAME = "nom effacé"
_ENDS: set[str] = set()
_TOLD: list[str] = []


def forget_name_after(*verbs: str) -> None:
    """An entry of these verbs says of a file, by its digest (`sha256`), that it is gone for good, its name with it."""
    _ENDS.update(verbs)


def verbs_that_forget() -> frozenset[str]:
    return frozenset(_ENDS)


def shown(data: dict, gone: Collection[str]) -> dict:
    """`gone`: the digests of the files that are gone from the same chain, whenever they were named."""
    return data | {"name": NO_NAME} if "name" in data and data.get("sha256") in gone else data


def tell_when_anchored(path: str) -> None:
    """`path`: a function of an anchor, called in the transaction that makes it."""
    if path not in _TOLD:
        _TOLD.append(path)


def tell_of(anchor) -> None:
    for path in _TOLD:
        import_string(path)(anchor)
