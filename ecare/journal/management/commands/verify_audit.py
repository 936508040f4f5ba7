from django.core.management.base import BaseCommand, CommandError

from ecare.journal.actions import all_broken_links
from ecare.journal.models import Chain, Entry


class Command(BaseCommand):
    help = "Checks every chain of the journal: nothing altered, removed, inserted or moved. Names each fault."

    def handle(self, *args, **options):
        subjects = Chain.objects.values_list("subject").union(Entry.objects.order_by().values_list("subject"))
        faults, count = 0, subjects.count()
        for fault in all_broken_links():
            faults += 1
            self.stderr.write(fault)
        if faults:
            raise CommandError(f"{faults} fault(s) in {count} chain(s).")
        self.stdout.write(f"{count} chain(s) intact.")
