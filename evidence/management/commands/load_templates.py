from pathlib import Path

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from applications.models import Domain
from evidence.files import Refused
from evidence.space_templates import asks_for, publish_template
from evidence.writers import read_definitions

FOLDER = settings.BASE_DIR / "fixtures" / "modeles"


class Command(BaseCommand):
    help = (
        "Publie les modèles à remplir auprès de chaque espace de dépôt qui les demande. Peut être relancée "
        "sans effet ; un modèle modifié devient une nouvelle version."
    )

    def add_arguments(self, parser):
        parser.add_argument("folder", nargs="?", type=Path, default=FOLDER, help="Dossier des modèles.")

    def handle(self, *, folder, verbosity, **options):
        for definition in read_definitions(folder):
            key, name = definition["question"], definition["file"]
            for domain in Domain.objects.all():
                if asks_for(domain, key):
                    upload = ContentFile((folder / name).read_bytes(), name=name)
                    try:
                        published = publish_template(
                            domain, key, title=definition["title"], upload=upload, by=None, at=timezone.now()
                        )
                    except Refused as refusal:
                        raise CommandError(f"{name} : {refusal}") from None
                    if verbosity:
                        done = f"version {published.number} publiée" if published else "rien à changer"
                        self.stdout.write(f"{domain.name}, {name} : {done}")
