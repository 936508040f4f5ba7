from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from ecare.journal import anchors
from ecare.journal.actions import all_broken_links, missing_guards
from ecare.journal.models import Chain, Entry


class Command(BaseCommand):
    help = "Checks every chain of the journal: nothing altered, removed, inserted or moved. Names each fault."

    def add_arguments(self, parser):
        parser.add_argument(
            "--anchors",
            nargs="?",
            const=settings.ANCHORS_DIR,
            type=Path,
            metavar="FOLDER",
            dest="anchors_in",
            help="Also against what the anchors of this folder say (default: ECARE_ANCHORS): a chain that was written "
            "anew as a whole, or is gone, is found.",
        )

    def handle(self, *args, anchors_in: Path | None = None, **options):
        faults = [f"the database no longer refuses: {name} is gone or off" for name in missing_guards()]
        anchored = _read(anchors_in) if anchors_in else None
        said = anchored.entries if anchored else {}
        # An entry whose chain is gone is found too, and a chain that only an anchor knows.
        written = Chain.objects.values_list("subject").union(Entry.objects.order_by().values_list("subject"))
        subjects = sorted({subject for (subject,) in written} | set(said))
        faults += all_broken_links(said)
        faults += anchored.faults if anchored else []
        for fault in faults:
            self.stderr.write(fault)
        if faults:
            raise CommandError(f"{len(faults)} fault(s) in {len(subjects)} chain(s).")
        days = f", as {anchored.days} anchor(s) say" if anchored else ""
        self.stdout.write(f"{len(subjects)} chain(s) intact{days}.")


def _read(folder: Path) -> anchors.Anchored:
    if not folder.is_dir():
        raise CommandError(f"{folder} is not a folder.")
    return anchors.read(folder)
