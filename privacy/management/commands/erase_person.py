from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.models import User
from privacy import actions


class Command(BaseCommand):
    help = "Erases the data of a person, but for what the law keeps. There is no way back."

    def add_arguments(self, parser):
        parser.add_argument("username")
        parser.add_argument("--reason", required=True)

    def handle(self, *args, username, reason, **options):
        person = User.objects.filter(username__iexact=username).first()
        if person is None:
            raise CommandError(f"No account {username}.")
        try:
            actions.erase(person, by=None, reason=reason, at=timezone.now())
        except actions.CannotErase as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write(f"user:{person.pk}")
