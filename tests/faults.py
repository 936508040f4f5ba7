"""Faults in the middle of a transaction, made by the database itself."""

from django.db import connection

TRIGGERS = {
    "sqlite": ["CREATE TRIGGER fault BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'fault'); END"],
    "postgresql": [
        "CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'fault'; END $$",
        "CREATE TRIGGER fault BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION fault()",
    ],
}


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
