"""A post whose rows the database refuses, one after the other: nothing of it stays."""

from django.core.cache import cache
from django.db import transaction
from django.test import Client

from tests.counts import IS_FULL
from tests.evidence.conftest import stored_names
from tests.faults import Writes, everything


def copy_of(client: Client) -> Client:
    """What it becomes in this post spoils no other."""
    browser = Client(raise_request_exception=False)
    browser.cookies.load({name: morsel.value for name, morsel in client.cookies.items()})
    return browser


def again(sent: dict) -> dict:
    """A file is read once."""
    for value in sent.values():
        if hasattr(value, "seek"):
            value.seek(0)
    return sent


def measured(writes: Writes, client, address, sent) -> tuple[int, int]:
    """The answer when all goes well, and how many rows it wrote; then undone."""
    with transaction.atomic():
        writes.expect(None)
        status = copy_of(client).post(address, again(sent)).status_code
        count = writes.count
        transaction.set_rollback(True)
    return status, count


def ranks(count: int):
    """Each row from the second on; in each run the second and the last."""
    return range(2, count + 1) if IS_FULL else sorted({2, count} - {1})


def assert_nothing_stays(row: str, writes: Writes, client, address, sent, *, status=(200, 302)) -> int:
    """Whichever row is refused. Returns how many rows it writes when all goes well."""
    answered, count = measured(writes, client, address, sent)
    assert answered in status, (row, answered)
    assert count, f"{row} writes nothing"
    before, files = everything(), stored_names()
    for rank in ranks(count) if count > 1 else ():
        cache.clear()  # it was asked more often than the limits let anybody
        writes.expect(rank)
        answer = copy_of(client).post(address, again(sent))
        writes.expect(None)
        assert answer.status_code == 500, (row, rank)
        assert "Une erreur inattendue s’est produite" in answer.text, (row, rank)
        after = everything()
        assert {table for table in after if after[table] != before[table]} == set(), (row, rank)
        assert stored_names() == files, f"{row}: what was stored for nothing is taken away"
    return count
