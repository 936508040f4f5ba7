"""The verbs of a change of keys: seal anew what a former key sealed, and say what is left of each.

Every step is whole by itself. Bytes are sealed into a new object, which is read back; then one statement leads the row
to it, if the row still led to the former one; the former one is discarded later, so that whoever was reading it comes
to the end. Stopped anywhere, only an orphan remains, for the sweep. Whatever is sealed with the first key already is
passed over: to go on, run it again.
"""

import base64
import hashlib
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from django.utils import timezone

from accounts.models import OpenSession
from ecare.journal.actions import record
from ecare.sealing import CannotOpen, Column, columns, key_of, seal, sealing_key, unseal
from evidence import vault
from evidence.vault import PIECE, Shelf, Spool

_PAGE = 200
UNKNOWN = "?"
"""In the place of a key’s name: missing bytes, or bytes that are not sealed at all."""


# --- how much is sealed with which key ------------------------------------------------------------------------------
def count() -> dict[str, Counter[str]]:
    """By what it is, the number of things sealed with each key."""
    counts = {shelf.label: Counter(key for _row, key in _on_shelf(shelf)) for shelf in vault.shelves()}
    for column in columns():
        name = f"{column.label}.{column.field}"
        counts[name] = Counter(key_of(bytes(sealed)) for _pk, sealed in _in_column(column))
    counts["sessions"] = Counter(key for session in _live_sessions() for key in _keys_of_session(session))
    return counts


def _on_shelf(shelf: Shelf, *, but: str = "") -> Iterator[tuple]:
    """Rows and the keys of their bytes, page by page; without those of the key `but`."""
    last, rows = None, shelf.rows
    if shelf.notes_key and but:
        rows = rows.exclude(key_name=but)
    while page := list((rows if last is None else rows.filter(pk__gt=last))[:_PAGE]):
        for row in page:
            key = row.key_name if shelf.notes_key else _key_in_storage(row.storage_name)
            if key != but:
                yield row, key
        last = page[-1].pk


def _key_in_storage(storage_name: str) -> str:
    try:
        return vault.key_of(storage_name)
    except CannotOpen:
        return UNKNOWN


def _in_column(column: Column) -> Iterator[tuple]:
    rows = column.model._base_manager.exclude(**{column.field: None}).order_by("pk").values_list("pk", column.field)
    last = None
    while page := list((rows if last is None else rows.filter(pk__gt=last))[:_PAGE]):
        yield from page
        last = page[-1][0]


def _live_sessions() -> Iterator[OpenSession]:
    return OpenSession.objects.filter(expire_date__gt=timezone.now()).iterator()


def _keys_of_session(session: OpenSession) -> set[str]:
    """What was typed, an enrolment under way. Counted, never sealed anew: a session is written by its own requests,
    and ends within a day."""
    found = set()
    for name, value in session.get_decoded().items():
        if name.startswith("typed:") or name in ("enrolment_key", "recovery_codes"):
            found.add(key_of(base64.b64decode(value)))
    return found


# --- seal anew --------------------------------------------------------------------------------------------------------
@dataclass
class Outcome:
    """What a run did. `faults`: what it could not open, which stays as it was."""

    resealed: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


def reseal(*, grace: float, tell: Callable[[str], None]) -> Outcome:
    """All that is not sealed with the first key. `grace`: seconds until a former object is discarded. Raises StoreDown;
    what is done is done."""
    outcome, former = Outcome(), Former(grace)
    try:
        for column in columns():
            _reseal_column(column, outcome)
        for shelf in vault.shelves():
            _reseal_shelf(shelf, outcome, former, tell)
        former.wait()
    finally:
        if outcome.resealed:
            record("vault", "rotate_keys", data={"key": sealing_key(), "resealed": dict(outcome.resealed)})
    return outcome


def _reseal_column(column: Column, outcome: Outcome) -> None:
    """Each by a statement of its own, which does nothing if somebody wrote or erased the secret meanwhile."""
    label = f"{column.label}.{column.field}"
    for pk, value in _in_column(column):
        sealed = bytes(value)
        if key_of(sealed) == sealing_key():
            continue
        try:
            anew = seal(unseal(sealed, purpose=column.purpose), purpose=column.purpose)
        except CannotOpen:
            outcome.faults.append(f"{label} {pk}: sealed with {key_of(sealed) or UNKNOWN}, does not open")
            continue
        unchanged = column.model._base_manager.filter(pk=pk, **{column.field: sealed})
        outcome.resealed[label] += unchanged.update(**{column.field: anew})


def _reseal_shelf(shelf: Shelf, outcome: Outcome, former: "Former", tell: Callable[[str], None]) -> None:
    for row, key in _on_shelf(shelf, but=sealing_key()):
        former.discard_due()
        try:
            moved = _reseal_object(shelf, row, former)
        except CannotOpen as error:
            if shelf.rows.filter(pk=row.pk, storage_name=row.storage_name).exists():  # not deleted meanwhile
                outcome.faults.append(f"{shelf.label} {row.pk}: sealed with {key}, does not open ({error})")
            continue
        outcome.resealed[shelf.label] += moved
        if outcome.resealed[shelf.label] % _PAGE == 0:
            tell(f"{shelf.label}: {outcome.resealed[shelf.label]} sealed anew")


def _reseal_object(shelf: Shelf, row, former: "Former") -> bool:
    """Whether the row leads to a new object. Raises CannotOpen, also where its digest is not that of the row."""
    place, context = row.storage_name, shelf.context(row)
    with vault.open_named(place, context=context) as reader:
        spool = vault.sealed(_pieces(reader), context=context)
    with spool:
        _check_digest(spool.reader(), row.sha256)
        new = vault.keep(spool)
        try:
            with vault.open_named(new, context=context) as kept:  # the former one goes only once this one is there
                _check_digest(kept, row.sha256)
        except CannotOpen:
            vault.discard(new)
            raise
        moved = _lead(shelf, row, new, spool)
    if moved:
        former.add(place)
    else:
        vault.discard(new)
    return moved


def _lead(shelf: Shelf, row, new: str, spool: Spool) -> bool:
    """To the new object, if the row still leads to the former one: it may have been deleted, purged or replaced."""
    changes = {"storage_name": new} | ({"key_name": spool.key_name} if shelf.notes_key else {})
    return bool(shelf.rows.order_by().filter(pk=row.pk, storage_name=row.storage_name).update(**changes))


def _pieces(reader) -> Iterator[bytes]:
    return iter(lambda: reader.read(PIECE), b"")


def _check_digest(reader, sha256: str) -> None:
    digest = hashlib.sha256()
    for piece in _pieces(reader):
        digest.update(piece)
    if digest.hexdigest() != sha256:
        raise CannotOpen("another digest than noted")


class Former:
    """The objects that no row leads to any more, until nobody reads them."""

    def __init__(self, grace: float):
        self._grace = grace
        self._waiting: deque[tuple[float, str]] = deque()

    def add(self, storage_name: str) -> None:
        self._waiting.append((time.monotonic() + self._grace, storage_name))

    def discard_due(self) -> None:
        while self._waiting and self._waiting[0][0] <= time.monotonic():
            vault.discard(self._waiting.popleft()[1])

    def wait(self) -> None:
        while self._waiting:
            time.sleep(max(0, self._waiting[0][0] - time.monotonic()))
            self.discard_due()
