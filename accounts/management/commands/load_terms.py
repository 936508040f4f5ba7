"""Loads the versions of the terms that `fixtures/cgu/` holds."""

import re
from datetime import date, datetime, time
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts.models import Terms
from ecare.clock import PARIS

HEADER = re.compile(r"Publication\s*:\s*(?P<day>\d{4}-\d{2}-\d{2})")


class Command(BaseCommand):
    help = (
        "Charge les CGU : un fichier texte par version, dont la première ligne est « Publication : AAAA-MM-JJ ». "
        "Peut être relancée sans effet."
    )

    def add_arguments(self, parser):
        parser.add_argument("folder", nargs="?", type=Path, default=settings.BASE_DIR / "fixtures" / "cgu")

    @transaction.atomic
    def handle(self, *, folder, verbosity, **options):
        files = sorted(folder.glob("*.txt"))
        if not files:
            raise CommandError(f"{folder} : aucun fichier .txt.")
        for file in files:
            header, _, text = file.read_text(encoding="utf-8").partition("\n")
            found = HEADER.fullmatch(header.strip())
            if found is None:
                raise CommandError(f"{file.name} ne commence pas par « Publication : AAAA-MM-JJ ».")
            published = datetime.combine(date.fromisoformat(found["day"]), time(), tzinfo=PARIS)
            terms, created = Terms.objects.get_or_create(
                version=file.stem, defaults={"text": text.strip(), "published_at": published}
            )
            if not created and terms.text != text.strip():
                raise CommandError(
                    f"La version {file.stem} est déjà chargée avec un autre texte : donnez-lui un autre nom."
                )
            if verbosity:
                self.stdout.write(f"{terms} : {'chargées' if created else 'rien à changer'}")
