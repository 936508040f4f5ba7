from django.core.management.base import BaseCommand, CommandError

from ecare.journal.anchors import export_heads
from ecare.journal.files import folder


class Command(BaseCommand):
    help = "Signs the heads of all chains of the journal, once a day, and writes the anchors that have no file yet."

    def handle(self, *args, **options):
        try:
            made = export_heads()
        except OSError as error:
            raise CommandError(f"The anchors cannot be written to {folder()}: {error.strerror}.") from error
        if made is None:
            self.stdout.write("The anchor of today is there already.")
        else:
            self.stdout.write(f"{made}: {made.chains} chain(s), {made.entries} entries, digest {made.digest}")
