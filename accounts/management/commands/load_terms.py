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
    help = "Load the terms (CGU): one text file per version, its first line « Publication : AAAA-MM-JJ ». Idempotent."

    def add_arguments(self, parser):
        parser.add_argument("folder", nargs="?", type=Path, default=settings.BASE_DIR / "fixtures" / "cgu")

    @transaction.atomic
    def handle(self, *args, folder, **options):
        files = sorted(folder.glob("*.txt"))
        if not files:
            raise CommandError(f"No terms in {folder}.")
        for file in files:
            header, _, text = file.read_text(encoding="utf-8").partition("\n")
            found = HEADER.fullmatch(header.strip())
            if found is None:
                raise CommandError(f"{file.name} does not start with « Publication : AAAA-MM-JJ ».")
            published = datetime.combine(date.fromisoformat(found["day"]), time(), tzinfo=PARIS)
            terms, created = Terms.objects.get_or_create(
                version=file.stem, defaults={"text": text.strip(), "published_at": published}
            )
            if not created and terms.text != text.strip():
                raise CommandError(f"Version {file.stem} is loaded with another text: a new text needs a new name.")
            self.stdout.write(f"{terms}: {'loaded' if created else 'already there'}")
