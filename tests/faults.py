"""Faults in the middle of a transaction, made by the database itself."""

from contextlib import contextmanager

from django.apps import apps
from django.db import connection

TRIGGERS = {
    "sqlite": ["CREATE TRIGGER fault BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'fault'); END"],
    "postgresql": [
        "CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'fault'; END $$",
        "CREATE TRIGGER fault BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION fault()",
    ],
}
WRITES = ("INSERT", "UPDATE", "DELETE")
NOT_OF_A_VERB = {"accounts_opensession", "cache", "captcha_captchastore"}
"""Written beside what a verb writes: what one said to this browser, how often somebody asked."""


def break_inserts_into(model):
    """From now on, in this test's transaction, the database refuses every new row of the model."""
    _execute(TRIGGERS, model)


UPDATES = {
    "sqlite": ["CREATE TRIGGER fault BEFORE UPDATE ON {table} BEGIN SELECT RAISE(ABORT, 'fault'); END"],
    "postgresql": [
        "CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'fault'; END $$",
        "CREATE TRIGGER fault BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION fault()",
    ],
}
MENDS = {
    "sqlite": ["DROP TRIGGER fault"],
    "postgresql": ["DROP TRIGGER fault ON {table}", "DROP FUNCTION fault()"],
}


def break_updates_of(model):
    """From now on, until `mend`, the database refuses every change of a row of the model."""
    _execute(UPDATES, model)


def mend(model):
    _execute(MENDS, model)


def _execute(statements, model):
    with connection.cursor() as cursor:
        for statement in statements[connection.vendor]:
            cursor.execute(statement.format(table=model._meta.db_table))


def tables() -> list[str]:
    """Of all models, those that join two of them too."""
    found = {model._meta.db_table for model in apps.get_models(include_auto_created=True) if model._meta.managed}
    return sorted(found - NOT_OF_A_VERB)


class Writes:
    """Counts the rows that are written, and lets the database refuse one of them and all that come after it."""

    def __init__(self):
        with connection.cursor() as cursor:
            for statement in {"sqlite": self._on_sqlite, "postgresql": self._on_postgresql}[connection.vendor]():
                cursor.execute(statement)
        self.expect(None)

    @staticmethod
    def _on_sqlite():
        yield "CREATE TABLE fault (written integer, refused integer)"
        yield "INSERT INTO fault VALUES (0, 0)"
        told = (
            "BEGIN UPDATE fault SET written = written + 1; "
            "SELECT RAISE(ABORT, 'fault') FROM fault WHERE refused > 0 AND written >= refused; END"
        )
        for table in tables():
            for write in WRITES:
                yield f"CREATE TRIGGER fault_{table}_{write} BEFORE {write} ON {table} {told}"

    @staticmethod
    def _on_postgresql():
        yield "SELECT set_config('fault.written', '0', false), set_config('fault.refused', '0', false)"
        yield (
            "CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE rank int; BEGIN "
            "rank := current_setting('fault.written')::int + 1; "
            "PERFORM set_config('fault.written', rank::text, false); "
            "IF current_setting('fault.refused')::int > 0 AND rank >= current_setting('fault.refused')::int THEN "
            "RAISE EXCEPTION 'fault'; END IF; RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END; END $$"
        )
        for table in tables():
            yield (
                f"CREATE TRIGGER a_fault BEFORE INSERT OR UPDATE OR DELETE ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION fault()"
            )

    def expect(self, refused: int | None) -> None:
        """Begin to count anew; from the row of this rank on each one is refused."""
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.execute("UPDATE fault SET written = 0, refused = %s", [refused or 0])
            else:
                cursor.execute(
                    "SELECT set_config('fault.written', '0', false), set_config('fault.refused', %s, false)",
                    [str(refused or 0)],
                )

    @property
    def count(self) -> int:
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.execute("SELECT written FROM fault")
            else:
                cursor.execute("SELECT current_setting('fault.written')")
            return int(cursor.fetchone()[0])


def everything() -> dict[str, list]:
    """All rows of all tables but those that are not a verb's."""
    found = {}
    with connection.cursor() as cursor:
        for table in tables():
            cursor.execute(f"SELECT * FROM {table} ORDER BY 1")
            found[table] = cursor.fetchall()
    return found


@contextmanager
def read_only():
    """The database may only be read: for this connection, as it is while another server takes over."""
    on, off = {
        "postgresql": ("SET default_transaction_read_only = on", "SET default_transaction_read_only = off"),
        "sqlite": ("PRAGMA query_only = on", "PRAGMA query_only = off"),
    }[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(on)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(off)


def row_counts() -> dict[str, int]:
    """How many rows each table has, in one statement."""
    parts = [f"SELECT '{table}', count(*) FROM {table}" for table in tables()]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts))
        return dict(cursor.fetchall())
