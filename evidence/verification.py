"""Reading everything in the vault: does it open, is it what was put in? Nothing is changed."""

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

from ecare.sealing import CannotOpen, KeyLost
from evidence import vault
from evidence.vault import PIECE, Absent, Shelf

_PAGE = 200


class Finding(NamedTuple):
    """Of one row. `fault`: empty when all is well. `remark`: what is worth a word."""

    label: str
    pk: object
    size: int
    fault: str = ""
    remark: str = ""


def examine(shelf: Shelf, *, after: object = None, **which) -> Iterator[Finding]:
    """Row by row in the order of their keys, from one on. Raises StoreDown."""
    last, rows = after, shelf.rows.filter(**which)
    while page := list((rows if last is None else rows.filter(pk__gt=last))[:_PAGE]):
        yield from (look_at(shelf, row) for row in page)
        last = page[-1].pk


def look_at(shelf: Shelf, row) -> Finding:
    """Of this row, wherever its bytes are by the time they are read."""
    finding = _look(shelf, row)
    if not finding.fault:
        return finding
    now = shelf.rows.filter(pk=row.pk).first()
    if now is None:  # deleted or purged meanwhile
        return Finding(shelf.label, row.pk, 0)
    return finding if now.storage_name == row.storage_name else look_at(shelf, now)


def _look(shelf: Shelf, row) -> Finding:
    digest, size, remark = hashlib.sha256(), 0, ""
    try:
        with vault.open_named(row.storage_name, context=shelf.context(row)) as reader:
            if shelf.notes_key and reader.key_name != row.key_name:
                remark = f"noted with key {row.key_name}, sealed with {reader.key_name}"
            while piece := reader.read(PIECE):
                digest.update(piece)
                size += len(piece)
    except Absent:
        return Finding(shelf.label, row.pk, 0, "missing")
    except KeyLost as error:
        return Finding(shelf.label, row.pk, 0, f"its key is not there: {error}")
    except CannotOpen:
        return Finding(shelf.label, row.pk, 0, "altered: its seal is broken")
    if size != shelf.size(row):
        return Finding(shelf.label, row.pk, size, f"altered: {size} bytes, {shelf.size(row)} noted")
    if digest.hexdigest() != row.sha256:
        return Finding(shelf.label, row.pk, size, "altered: another digest than noted")
    return Finding(shelf.label, row.pk, size, "", remark)
