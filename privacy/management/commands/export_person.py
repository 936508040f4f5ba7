from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.models import User
from ecare.journal.actions import SYSTEM
from privacy import actions, readers, writers


class Command(BaseCommand):
    help = "Writes all that is held on a person into a ZIP; the journal keeps the reason, the person is told."

    def add_arguments(self, parser):
        parser.add_argument("username")
        parser.add_argument("file", type=Path)
        parser.add_argument("--reason", required=True)

    def handle(self, *args, username, file, reason, **options):
        person = User.objects.filter(username__iexact=username).first()
        if person is None:
            raise CommandError(f"No account {username}.")
        with file.open("xb") as out:
            file.chmod(0o600)
            out.write(writers.archive(readers.held_on(person)))
        actions.hand_over(person, by=SYSTEM, reason=reason, at=timezone.now())
        self.stdout.write(f"{file}")
