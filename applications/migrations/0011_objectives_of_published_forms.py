"""The boxes of the published forms that attest an objective say which one, by their key: a form that was published
before keeps its dossiers, and these are decided like the others."""

from django.db import migrations

OBJECTIVES = {
    "d1-o1-a": "D1.O1.A",
    "d1-o1-b": "D1.O1.B",
    "d1-o2-a": "D1.O2.A",
    "d1-o2-b": "D1.O2.B",
    "d2-o1": "D2.O1",
    "d2-o2": "D2.O2",
}


def name_them(apps, schema_editor):
    boxes = apps.get_model("applications", "Question").objects.filter(kind="checkbox", objective="")
    for key, objective in OBJECTIVES.items():
        boxes.filter(key=key, section__form__step="declaration").update(objective=objective)


class Migration(migrations.Migration):
    dependencies = [
        ("applications", "0010_attested_objectives"),
    ]

    operations = [
        migrations.RunPython(name_them, migrations.RunPython.noop),
    ]
