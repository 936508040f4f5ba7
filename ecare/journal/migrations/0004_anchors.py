"""The signed heads of each day, as append-only as the rest of the journal."""

from django.db import migrations, models

REFUSAL = "the journal is append-only"
GUARDS = {
    "postgresql": [
        "CREATE TRIGGER journal_anchor_kept BEFORE UPDATE OR DELETE ON journal_anchor "
        "FOR EACH ROW EXECUTE FUNCTION journal_refuses()",
        "CREATE TRIGGER journal_anchor_not_emptied BEFORE TRUNCATE ON journal_anchor "
        "FOR EACH STATEMENT EXECUTE FUNCTION journal_refuses()",
    ],
    "sqlite": [
        f"CREATE TRIGGER journal_anchor_kept BEFORE DELETE ON journal_anchor BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
        f"CREATE TRIGGER journal_anchor_unaltered BEFORE UPDATE ON journal_anchor "
        f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
        "CREATE TRIGGER journal_anchor_not_replaced BEFORE INSERT ON journal_anchor "
        "WHEN EXISTS (SELECT 1 FROM journal_anchor WHERE id = NEW.id OR day = NEW.day) "
        f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
    ],
}


def guard(apps, schema_editor):
    for statement in GUARDS[schema_editor.connection.vendor]:
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):

    dependencies = [
        ('journal', '0003_append_only'),
    ]

    operations = [
        migrations.CreateModel(
            name='Anchor',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField(unique=True, verbose_name='jour')),
                ('at', models.DateTimeField(verbose_name='date')),
                ('chains', models.PositiveIntegerField(verbose_name='chaînes')),
                ('entries', models.PositiveBigIntegerField(verbose_name='écritures')),
                ('digest', models.CharField(max_length=64, verbose_name='empreinte de toutes les chaînes')),
                ('content', models.TextField(editable=False, help_text='Le fichier, sans sa signature.')),
                ('signature', models.CharField(max_length=64, verbose_name='signature')),
            ],
            options={
                'verbose_name': 'relevé d’empreintes',
                'verbose_name_plural': 'relevés d’empreintes',
                'ordering': ['-day'],
            },
        ),
        migrations.RunPython(guard, migrations.RunPython.noop),  # backwards, they go with the table
    ]
