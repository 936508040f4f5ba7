"""Puts a batch of ZED containers into the pool; see docs/containers.md."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from evidence.containers import AlreadyKnown, load
from evidence.readers import UnreadableBatch, read_batch


class Command(BaseCommand):
    help = "Charge un lot de conteneurs ZED dans la réserve : tout entier, ou rien."

    def add_arguments(self, parser):
        parser.add_argument("archive", type=Path, metavar="ZIP", help="archive zip de fichiers .zed")
        parser.add_argument(
            "table",
            type=Path,
            metavar="CSV",
            help="nom du fichier ; nom d’utilisateur ; mot de passe ; domaine ; objectif",
        )

    def handle(self, *, archive, table, verbosity, **options):
        try:
            with archive.open("rb") as zipped, table.open("rb") as lines:
                batch = read_batch(zipped, lines)
                if batch.faults:
                    raise CommandError("\n".join(["Rien n’a été chargé.", *map(_spoken, batch.faults)]))
                load(batch.containers, by=None, at=timezone.now())
        except OSError as fault:
            raise CommandError(f"{fault.filename} : {fault.strerror}") from fault
        except UnreadableBatch as fault:
            raise CommandError(str(fault)) from fault
        except AlreadyKnown as fault:
            raise CommandError("Un conteneur de ce lot a été chargé entre-temps : rien n’a été chargé.") from fault
        if verbosity:
            self.stdout.write(f"Conteneurs chargés : {len(batch.containers)}")


def _spoken(fault) -> str:
    place = f"ligne {fault.line}, " if fault.line else ""
    return f"{place}{fault.name or 'sans nom de fichier'} : {fault.reason}"
