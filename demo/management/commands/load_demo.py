from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from demo.actions import load, read_demo

FIXTURES = settings.BASE_DIR / "fixtures"


class Command(BaseCommand):
    help = (
        "Remplit une base vide avec la démonstration : répertoire, domaines, CGU, personnes, dossiers dans chaque état."
    )

    def handle(self, *, verbosity, **options):
        if User.objects.exists():
            raise CommandError("La base n’est pas vide : la démonstration ne s’y charge pas.")
        now = timezone.now()
        with transaction.atomic():
            call_command("import_finess", FIXTURES / "finess", verbosity=0)
            call_command("load_terms", verbosity=0)
            call_command("load_domains", today=timezone.localdate(now), verbosity=0)
            load(read_demo(), domains_folder=FIXTURES / "domaines", at=now)
            call_command("load_templates", verbosity=0)
