from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('letters', '0007_failed_letters'),
    ]

    operations = [
        migrations.AddField(
            model_name='letter',
            name='begun_at',
            field=models.DateTimeField(blank=True, editable=False, help_text='La conversation avec le serveur est commencée.', null=True),
        ),
        migrations.AddField(
            model_name='letter',
            name='may_be_doubled',
            field=models.BooleanField(default=False, editable=False, help_text='Un envoi s’est interrompu avant la réponse du serveur : le courrier est reparti, sous le même identifiant (Message-ID).', verbose_name='peut-être parti deux fois'),
        ),
    ]
