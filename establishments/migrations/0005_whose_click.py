

import ecare.tracing
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('establishments', '0004_import_requests'),
    ]

    operations = [
        migrations.AddField(
            model_name='importrequest',
            name='request_id',
            field=models.CharField(blank=True, db_default='', default=ecare.tracing.current, editable=False, max_length=64),
        ),
    ]
