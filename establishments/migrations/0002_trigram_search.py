"""Search by any part of a word: a trigram index where the engine has one (PostgreSQL), nothing elsewhere."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations

INDEXES = {
    name: GinIndex(fields=["search_text"], opclasses=["gin_trgm_ops"], name=name)
    for name in ("establishment_search", "legalentity_search")
}


def add_indexes(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for name, index in INDEXES.items():
            schema_editor.add_index(apps.get_model("establishments", name.removesuffix("_search")), index)


def remove_indexes(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for name, index in INDEXES.items():
            schema_editor.remove_index(apps.get_model("establishments", name.removesuffix("_search")), index)


class Migration(migrations.Migration):
    dependencies = [("establishments", "0001_directory")]
    operations = [TrigramExtension(), migrations.RunPython(add_indexes, remove_indexes)]
