from pathlib import Path
from time import monotonic

from django.core.management.base import BaseCommand, CommandError

from backups import databases
from backups.actions import NotEmpty, check, gone_in, restore
from backups.manifests import Unsound
from evidence.storage import StoreDown


class Command(BaseCommand):
    help = (
        "Bring a backup back into an empty database and vault, then verify the journal and every file. The keys must "
        "be those that it was made with. Stop the portal first."
    )

    def add_arguments(self, parser):
        parser.add_argument("folder", type=Path)
        parser.add_argument("--check", action="store_true", help="only say whether it may be restored here")
        parser.add_argument("--replace", action="store_true", help="in the place of what is here")
        parser.add_argument("--despite-faults", action="store_true", help="restore what is sound of a damaged backup")
        parser.add_argument("--new-secret-key", action="store_true", help="SECRET_KEY was changed on purpose")

    def handle(self, *, folder, **options):
        began = monotonic()
        try:
            manifest, faults = check(
                folder, replaces=options["replace"] or options["check"], changes_secret_key=options["new_secret_key"]
            )
            self._told(faults, "The backup is damaged", go_on=options["despite_faults"])
            self.stdout.write(f"backup of {manifest.made_at}, version {manifest.version}: {manifest.vault}")
            if options["check"]:
                return
            faults = restore(folder, manifest, tell=self.stdout.write)
        except NotEmpty as error:
            raise CommandError(f"{error} Nothing was done. To put the backup in its place: --replace.") from None
        except Unsound as error:
            raise CommandError(f"Nothing was done. {error}") from None
        except (databases.Failed, StoreDown, OSError) as error:
            raise CommandError(f"Not restored: {error}. Begin again with --replace.") from None
        for label, count in gone_in(folder).items():
            self.stdout.write(f"{count} {label} without bytes: deleted while the backup was made")
        self.stdout.write(f"restored and verified in {monotonic() - began:.0f} s; now run migrate")
        self._told(faults, "Restored, but not as it was")

    def _told(self, faults: list[str], sentence: str, *, go_on: bool = False) -> None:
        for fault in faults:
            self.stderr.write(fault)
        if faults and not go_on:
            raise CommandError(f"{sentence}: {len(faults)} fault(s), named above.")
