from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("applications", "0015_what_awaits_the_ans")]

    operations = [
        migrations.AddField(
            model_name="changerequest",
            name="is_cancelled",
            field=models.BooleanField("annulée", default=False, help_text="Par le service qui l’avait faite."),
        ),
    ]
