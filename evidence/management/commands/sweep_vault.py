from datetime import timedelta

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from evidence.actions import sweep
from evidence.arrivals import forget


class Command(BaseCommand):
    help = "Delete expired uploads and stored bytes that no row refers to, and name the files whose bytes are missing."

    def add_arguments(self, parser):
        parser.add_argument("--hours", type=float, default=24, help="leave what is younger (24 by default)")

    def handle(self, *, hours, **options):
        forgotten = forget(at=timezone.now())
        swept, missing = sweep(older_than=timedelta(hours=hours))
        self.stdout.write(f"{forgotten} uploads expired, forgotten")
        self.stdout.write(f"{len(swept)} unreferenced, deleted")
        for stored in missing:
            self.stderr.write(f"missing: {stored.pk} ({stored.storage_name})")
        if missing:
            raise CommandError(f"{len(missing)} files of the register have no bytes in storage: restore the backup.")
