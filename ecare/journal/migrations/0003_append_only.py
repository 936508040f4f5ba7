"""The database itself refuses to alter, remove or empty the journal, or to move the head of a chain but one step on."""

from django.db import migrations

REFUSAL = "the journal is append-only"
STEP = """
    NEW.subject = OLD.subject AND NEW.length = OLD.length + 1 AND EXISTS (
        SELECT 1 FROM journal_entry
        WHERE subject = NEW.subject AND sequence = NEW.length AND digest = NEW.digest AND previous = OLD.digest
    )
"""

POSTGRESQL = [
    f"""
    CREATE FUNCTION journal_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '{REFUSAL}: % on %', TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
    END $$
    """,
    f"""
    CREATE FUNCTION journal_moves_on() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF {STEP} THEN RETURN NEW; END IF;
        RAISE EXCEPTION '{REFUSAL}: the head of a chain moves one step on' USING ERRCODE = 'restrict_violation';
    END $$
    """,
    "CREATE TRIGGER journal_entry_kept BEFORE UPDATE OR DELETE ON journal_entry "
    "FOR EACH ROW EXECUTE FUNCTION journal_refuses()",
    "CREATE TRIGGER journal_entry_not_emptied BEFORE TRUNCATE ON journal_entry "
    "FOR EACH STATEMENT EXECUTE FUNCTION journal_refuses()",
    "CREATE TRIGGER journal_chain_kept BEFORE DELETE ON journal_chain "
    "FOR EACH ROW EXECUTE FUNCTION journal_refuses()",
    "CREATE TRIGGER journal_chain_not_emptied BEFORE TRUNCATE ON journal_chain "
    "FOR EACH STATEMENT EXECUTE FUNCTION journal_refuses()",
    "CREATE TRIGGER journal_chain_moves_on BEFORE UPDATE ON journal_chain "
    "FOR EACH ROW EXECUTE FUNCTION journal_moves_on()",
]
SQLITE = [
    f"CREATE TRIGGER journal_entry_kept BEFORE DELETE ON journal_entry BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
    f"CREATE TRIGGER journal_entry_unaltered BEFORE UPDATE ON journal_entry "
    f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
    # INSERT OR REPLACE removes a row and fires no trigger of DELETE.
    f"""
    CREATE TRIGGER journal_entry_not_replaced BEFORE INSERT ON journal_entry
    WHEN EXISTS (
        SELECT 1 FROM journal_entry WHERE id = NEW.id OR (subject = NEW.subject AND sequence = NEW.sequence)
    ) BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END
    """,
    f"CREATE TRIGGER journal_chain_kept BEFORE DELETE ON journal_chain BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
    # The writer inserts « or ignores » a head that is there.
    "CREATE TRIGGER journal_chain_not_replaced BEFORE INSERT ON journal_chain "
    "WHEN EXISTS (SELECT 1 FROM journal_chain WHERE subject = NEW.subject) BEGIN SELECT RAISE(IGNORE); END",
    f"CREATE TRIGGER journal_chain_moves_on BEFORE UPDATE ON journal_chain WHEN NOT ({STEP}) "
    f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
]


def guard(apps, schema_editor):
    for statement in {"postgresql": POSTGRESQL, "sqlite": SQLITE}[schema_editor.connection.vendor]:
        schema_editor.execute(statement, params=None)


def let_go(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP FUNCTION journal_refuses, journal_moves_on CASCADE")
        return
    for statement in SQLITE:
        schema_editor.execute(f"DROP TRIGGER {statement.split()[2]}")


class Migration(migrations.Migration):
    dependencies = [("journal", "0002_veils")]

    operations = [migrations.RunPython(guard, let_go)]
