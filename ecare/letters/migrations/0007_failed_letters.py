
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('letters', '0006_whose_click'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='letter',
            index=models.Index(condition=models.Q(('state', 'failed')), fields=['created_at'], name='letter_failed'),
        ),
    ]
