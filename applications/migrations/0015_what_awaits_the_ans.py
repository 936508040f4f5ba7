"""A convention that the establishment is to sign lies on nobody's desk: the generated column is made anew."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("applications", "0014_purged_files")]

    operations = [
        migrations.RemoveIndex(model_name="application", name="dossier_desk"),
        migrations.RemoveField(model_name="application", name="desk"),
        migrations.AddField(
            model_name="application",
            name="desk",
            field=models.GeneratedField(
                db_persist=True,
                expression=models.Case(
                    models.When(state__in=("submitted", "declaration_submitted"), then=models.Value("ars")),
                    models.When(state="accepted", signed_copy_at=None, then=models.Value("")),
                    models.When(state__in=("accepted", "under_control", "validated"), then=models.Value("ans")),
                    default=models.Value(""),
                ),
                output_field=models.CharField(
                    "bureau qui l’attend", choices=[("ars", "ARS"), ("ans", "ANS")], max_length=3
                ),
            ),
        ),
        migrations.AddIndex(
            model_name="application",
            index=models.Index(fields=["desk", "moved_at", "id"], name="dossier_desk"),
        ),
    ]
