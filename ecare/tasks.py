"""What beat wakes the workers for, in no room's name."""

from celery import shared_task
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from ecare import health


@shared_task
def pulse() -> None:
    """A sign of life for `/sante/`."""
    health.beat_pulse()


@shared_task
def forget_sessions() -> None:
    """Remove sessions that ended: an unfinished registration leaves a name and an e-mail in one."""
    call_command("clearsessions")


@shared_task
def forget_cache() -> None:
    """What expired: the counts of tries, above all. Django removes a row only when somebody asks for its key."""
    table = connection.ops.quote_name(str(settings.CACHES["default"]["LOCATION"]))
    expired = connection.ops.adapt_datetimefield_value(timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table} WHERE expires < %s", [expired])  # noqa: S608 # our own name
