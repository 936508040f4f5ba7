"""What the rooms say of their entries: after which of them the name of a file is shown no more.

The ledger knows no room, and an entry is never altered: only what pages show of it is.
"""

from collections.abc import Collection

NO_NAME = "nom effacé"
_ENDS: set[str] = set()


def forget_name_after(*verbs: str) -> None:
    """An entry of these verbs says of a file, by its digest (`sha256`), that it is gone for good, its name with it."""
    _ENDS.update(verbs)


def verbs_that_forget() -> frozenset[str]:
    return frozenset(_ENDS)


def shown(data: dict, gone: Collection[str]) -> dict:
    """`gone`: the digests of the files that are gone from the same chain, whenever they were named."""
    return data | {"name": NO_NAME} if "name" in data and data.get("sha256") in gone else data
