"""Makes fixtures/finess from a folder of published files: the entities that have an activity, and their sites."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from establishments.readers import UnreadableFile
from establishments.writers import write_hospital_part


class Command(BaseCommand):
    help = "Copie d’un dossier publié les seules lignes des hôpitaux (ceux du fichier d’activité), sans les modifier."

    def add_arguments(self, parser):
        parser.add_argument("source", type=Path, help="dossier des fichiers publiés")
        parser.add_argument("target", type=Path, help="dossier à remplir")

    def handle(self, *, source, target, **options):
        try:
            kept = write_hospital_part(source, target)
        except UnreadableFile as fault:
            raise CommandError(str(fault)) from fault
        for name, lines in kept.items():
            self.stdout.write(f"{name} : {lines} lignes")
