

import ecare.tracing
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('webhooks', '0001_subscriptions'),
    ]

    operations = [
        migrations.AddField(
            model_name='delivery',
            name='request_id',
            field=models.CharField(blank=True, db_default='', default=ecare.tracing.current, editable=False, max_length=64),
        ),
    ]
