"""A session is kept under a digest of its key: those that are open stay open."""

import hashlib

from django.db import migrations


def digest_keys(apps, schema_editor):
    sessions = apps.get_model("accounts", "OpenSession").objects
    for key in list(sessions.values_list("pk", flat=True)):
        sessions.filter(pk=key).update(session_key=hashlib.sha256(key.encode()).hexdigest()[:40])


def forget_sessions(apps, schema_editor):
    """A digest does not tell its key: everybody signs in again."""
    apps.get_model("accounts", "OpenSession").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_invitations"),
    ]

    operations = [
        migrations.RunPython(digest_keys, forget_sessions),
    ]
