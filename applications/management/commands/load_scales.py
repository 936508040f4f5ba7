from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from applications.definitions import load_scale
from applications.models import Domain
from applications.scales import ScaleError, missing_kinds, read_scales


class Command(BaseCommand):
    help = (
        "Charge le barème d’un ou de plusieurs domaines depuis un fichier CSV (domaine;type;journees_de;journees_a;"
        "plafond_euros). Remplace le barème entier de chaque domaine nommé ; peut être relancée sans effet."
    )

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path, help="Fichier CSV, séparateur « ; ».")
        parser.add_argument(
            "--official",
            action="store_true",
            help="Ce barème est celui de l’appel à financement ; sinon, les pages disent qu’il n’est pas officiel.",
        )

    def handle(self, *, file, official, verbosity, **options):
        try:
            scales = read_scales(file)
        except ScaleError as error:
            raise CommandError(str(error)) from None
        with transaction.atomic():
            for slug, brackets in scales.items():
                done = load_scale(_domain(file, slug, brackets), brackets, is_official=official)
                if verbosity:
                    what = f"{len(brackets)} tranches chargées" if done else "rien à changer"
                    self.stdout.write(f"{slug} : {what}")


def _domain(file: Path, slug: str, brackets) -> Domain:
    domain = Domain.objects.filter(slug=slug).first()
    if domain is None:
        raise CommandError(f"{file.name} : le domaine « {slug} » n’existe pas.")
    if forgotten := missing_kinds(domain, brackets):
        raise CommandError(f"{file.name} : {slug}, aucune tranche pour {', '.join(forgotten)}.")
    return domain
