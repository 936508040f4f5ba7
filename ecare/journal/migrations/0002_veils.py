
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('journal', '0001_chains'),
    ]

    operations = [
        migrations.CreateModel(
            name='Veil',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reference', models.CharField(max_length=80)),
                ('name', models.CharField(blank=True, max_length=160)),
            ],
            options={
                'verbose_name': 'voile',
                'verbose_name_plural': 'voiles',
                'constraints': [models.UniqueConstraint(fields=('reference', 'name'), name='one_veil_per_name')],
            },
        ),
    ]
