"""The journal is added to, and that is all: the triggers of the database are the protection here, whatever asks it."""

import pytest
from django.db import IntegrityError, connection, transaction

from ecare.journal.actions import broken_links, missing_guards, record, record_each
from ecare.journal.anchors import export_heads
from ecare.journal.models import Anchor, Chain, Entry
from tests.tampering import TABLES, unguarded

pytestmark = pytest.mark.django_db
DOSSIER = "application:VEHCXTRMWL"


@pytest.fixture
def history():
    record(DOSSIER, "start")
    record(DOSSIER, "submit")
    export_heads()


def written():
    return [list(model.objects.order_by("pk").values()) for model in (Entry, Chain, Anchor)]


def sql(statement):
    def run():
        with connection.cursor() as cursor:
            cursor.execute(statement)

    return run


def head(**fields):
    return lambda: Chain.objects.update(**fields)


UPDATE = "UPDATE journal_{} SET {}"
REFUSED = {
    "an entry altered": lambda: Entry.objects.filter(sequence=1).update(message="autre"),
    "an entry left as it is": lambda: Entry.objects.update(message=""),
    "an entry altered by a save of many": lambda: Entry.objects.bulk_update(Entry.objects.all(), ["verb"]),
    "an entry removed": lambda: Entry.objects.filter(sequence=2).delete(),
    "all removed": sql("DELETE FROM journal_entry"),
    "a head moved back": head(length=1),
    "a head with another digest": head(digest="0" * 64),
    "a head moved on to no entry": head(length=3, digest="0" * 64),
    "a head of another subject": head(subject="application:AUTREDOSSI"),
    "a head removed": lambda: Chain.objects.all().delete(),
    "an anchor altered": lambda: Anchor.objects.update(digest="0" * 64),
    "an anchor removed": lambda: Anchor.objects.all().delete(),
}
ON_POSTGRESQL = {f"{table} emptied": sql(f"TRUNCATE {table}") for table in TABLES} | {
    "an entry written over": sql(
        "INSERT INTO journal_entry SELECT * FROM journal_entry "
        "ON CONFLICT (subject, sequence) DO UPDATE SET message = 'autre'"
    ),
}
ON_SQLITE = {f"{table} replaced": sql(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}") for table in TABLES}


def refused():
    own = {"postgresql": ON_POSTGRESQL, "sqlite": ON_SQLITE}[connection.vendor]
    return REFUSED | own


@pytest.mark.parametrize("deed", [*REFUSED, *ON_POSTGRESQL, *ON_SQLITE])
def test_the_database_refuses_it(history, deed):
    if deed not in refused():
        pytest.skip("of the other engine")
    before = written()
    if deed == "journal_chain replaced":  # ignored: the writer itself inserts a head « or ignores » it
        refused()[deed]()
    else:
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            refused()[deed]()
    assert written() == before
    with unguarded(), transaction.atomic():  # and it is the triggers that did
        refused()[deed]()
        transaction.set_rollback(True)


def test_the_writer_goes_on(history):
    record(DOSSIER, "accept")
    record_each([DOSSIER, "application:AUTREDOSSI"], "changed", data=lambda _subject: {})
    assert Chain.objects.get(pk=DOSSIER).length == 4
    assert list(broken_links(DOSSIER)) == []


def test_every_guard_stands_once_the_tables_are_migrated():
    """On SQLite a migration that alters a table makes it anew, without its triggers: it must make them again too."""
    assert missing_guards() == []
