from django.core.management.base import BaseCommand
from django.utils import timezone

import accounts.retention
import ecare.letters.retention
import evidence.retention
from ecare.tasks import forget_cache, forget_sessions
from privacy import actions


class Command(BaseCommand):
    help = "Forgets what was kept long enough (docs/privacy.md), as the workers do every hour."

    def handle(self, *args, **options):
        now = timezone.now()
        forget_sessions()
        forget_cache()
        done = {"long closed accounts": actions.erase_long_closed(now)}
        for room in (accounts.retention, evidence.retention, ecare.letters.retention):
            done |= room.forget(now)
        for name, count in done.items():
            self.stdout.write(f"{name}: {count}")
