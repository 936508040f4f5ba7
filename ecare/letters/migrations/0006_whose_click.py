

import ecare.tracing
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('letters', '0005_called_in_french'),
    ]

    operations = [
        migrations.AddField(
            model_name='letter',
            name='request_id',
            field=models.CharField(blank=True, db_default='', default=ecare.tracing.current, editable=False, max_length=64),
        ),
    ]
