from datetime import timedelta

from django.core.management.base import BaseCommand, CommandError

from evidence.actions import sweep


class Command(BaseCommand):
    help = "Delete stored bytes that no file of the register refers to, and name the files whose bytes are missing."

    def add_arguments(self, parser):
        parser.add_argument("--hours", type=float, default=24, help="leave what is younger (24 by default)")

    def handle(self, *, hours, **options):
        swept, missing = sweep(older_than=timedelta(hours=hours))
        self.stdout.write(f"{len(swept)} unreferenced, deleted")
        for stored in missing:
            self.stderr.write(f"missing: {stored.pk} ({stored.storage_name})")
        if missing:
            raise CommandError(f"{len(missing)} files of the register have no bytes in storage: restore the backup.")
