from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from evidence import scans
from evidence.models import StoredFile


class Command(BaseCommand):
    help = "Say where the antivirus stands, and put files into its line anew; the workers then scan them."

    def add_arguments(self, parser):
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--again", action="store_true", help="every file, after new signatures")
        which.add_argument("--failed", action="store_true", help="those that could not be scanned")

    def handle(self, *, again, failed, **options):
        if not settings.SCANNER:
            raise CommandError("Set ECARE_SCANNER: without an antivirus no file is scanned.")
        files = StoredFile.objects
        if again or failed:
            chosen = files.all() if again else files.unscannable()
            self.stdout.write(f"{scans.queue(chosen, at=timezone.now())} files put into the line")
        waiting = files.awaiting_scan()
        oldest = waiting.order_by("created_at").values_list("created_at", flat=True).first()
        since = f", the oldest since {oldest:%Y-%m-%d %H:%M} UTC" if oldest else ""
        self.stdout.write(f"{waiting.count()} files that nobody reads yet{since}")
        self.stdout.write(f"{files.queued().count()} files in the line")
        self.stdout.write(f"{files.infected().count()} infected, {files.unscannable().count()} could not be scanned")
