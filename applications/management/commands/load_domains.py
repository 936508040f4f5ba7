from datetime import date
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from applications.definitions import load_domain, load_scale, shift_calendar
from applications.models import Domain
from applications.readers import DefinitionError, read_folder
from applications.scales import read_scales

FOLDER = settings.BASE_DIR / "fixtures" / "domaines"
SCALES = settings.BASE_DIR / "fixtures" / "baremes"


class Command(BaseCommand):
    help = (
        "Charge les domaines et leurs formulaires depuis leurs définitions YAML. Peut être relancée sans effet ; "
        "un formulaire modifié devient une nouvelle version, que les dossiers ouverts ne prennent pas."
    )

    def add_arguments(self, parser):
        parser.add_argument("folder", nargs="?", type=Path, default=FOLDER, help="Dossier des définitions.")
        parser.add_argument(
            "--reset-calendar",
            action="store_true",
            help="Remet les dates des définitions sur les domaines existants, qui sinon gardent les leurs.",
        )
        parser.add_argument(
            "--today",
            type=date.fromisoformat,
            metavar="AAAA-MM-JJ",
            help="Pour une démonstration : décale les calendriers, candidatures et déclarations ouvertes à cette date.",
        )

    def handle(self, *, folder, reset_calendar, today, verbosity, **options):
        try:
            definitions = read_folder(folder)
        except DefinitionError as error:
            raise CommandError(str(error)) from None
        with transaction.atomic():
            for definition in definitions:
                done = load_domain(definition, at=timezone.now(), resets_calendar=reset_calendar)
                if today:
                    shift_calendar(Domain.objects.get(slug=definition.slug), today=today)
                    done = [*done, f"calendrier décalé au {today:%d/%m/%Y}"]
                done += _give_scale(definition.slug)
                if verbosity:
                    self.stdout.write(f"{definition.name} : {' ; '.join(done) or 'rien à changer'}")


def _give_scale(slug: str) -> list[str]:
    """A domain without any scale takes the one of the repository, which is marked as a demonstration's."""
    domain, file = Domain.objects.get(slug=slug), SCALES / f"{slug}.csv"
    if domain.scale.exists() or not file.exists():
        return []
    load_scale(domain, read_scales(file)[slug], is_official=False)
    return ["barème de démonstration chargé"]
