"""What somebody does who holds the database itself: the guards of the journal go first. The tests do it in a
database of their own; no role of the portal may."""

from contextlib import contextmanager

from django.db import connection, transaction

TABLES = ("journal_entry", "journal_chain", "journal_anchor")


@contextmanager
def unguarded():
    """The triggers of the journal are away, then there again."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for table in TABLES:
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            yield
            for table in TABLES:
                cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
            return
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'journal_%'")
        triggers = cursor.fetchall()
        for name, _sql in triggers:
            cursor.execute(f"DROP TRIGGER {name}")
        yield
        for _name, sql in triggers:
            cursor.execute(sql)


def let_the_tests_empty_the_journal():
    """A test that commits leaves its tables empty (Django's `flush`), these too."""
    flush = connection.ops.execute_sql_flush

    def flush_all(statements):
        with transaction.atomic(), unguarded():
            flush(statements)

    connection.ops.execute_sql_flush = flush_all
