from pathlib import Path
from time import monotonic

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from backups import databases
from backups.actions import NotEmpty, back_up
from evidence.storage import StoreDown


class Command(BaseCommand):
    help = (
        "Back up the database and the vault into a folder, while people work. The keys are not in it: they are kept "
        "elsewhere (docs/storage.md)."
    )

    def add_arguments(self, parser):
        parser.add_argument("folder", type=Path, help="empty, or not there yet")

    def handle(self, *, folder, **options):
        began = monotonic()
        try:
            lost = back_up(folder, at=timezone.now(), tell=self.stdout.write)
        except NotEmpty as error:
            raise CommandError(str(error)) from None
        except (databases.Failed, StoreDown, OSError) as error:
            raise CommandError(f"No backup was made: {error}. Delete {folder} and begin again.") from None
        for entry in lost:
            self.stderr.write(f"lost: {entry.row} ({entry.name})")
        self.stdout.write(f"{folder}: done in {monotonic() - began:.0f} s")
        if lost:
            raise CommandError(f"The backup is whole but for {len(lost)} objects that are not in the vault any more.")
