from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand

from evidence.writers import made, read_definitions

FOLDER = settings.BASE_DIR / "fixtures" / "modeles"


class Command(BaseCommand):
    help = "Fabrique les modèles à remplir (docx, xlsx) depuis leurs définitions YAML, à côté d’elles."

    def add_arguments(self, parser):
        parser.add_argument("folder", nargs="?", type=Path, default=FOLDER, help="Dossier des définitions.")

    def handle(self, *, folder, verbosity, **options):
        for definition in read_definitions(folder):
            (folder / definition["file"]).write_bytes(made(definition))
            if verbosity:
                self.stdout.write(f"{definition['file']} : fabriqué")
