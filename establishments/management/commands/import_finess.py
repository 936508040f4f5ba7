"""Brings the directory up to date from a folder of published files; see docs/directory.md."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from establishments.actions import Progress, import_directory, quiet
from establishments.models import DirectoryImport, Establishment
from establishments.readers import UnreadableFile, read_folder


class Command(BaseCommand):
    help = "Charge les extraits FINESS, la liste des GHT, l’activité, les régions et les départements d’un dossier."

    def add_arguments(self, parser):
        parser.add_argument("folder", type=Path, help="dossier des fichiers publiés")
        parser.add_argument("--dry-run", action="store_true", help="dit ce qui changerait, n’écrit rien")
        parser.add_argument("--remarks", type=int, default=50, help="remarques imprimées (50) ; toutes sont gardées")

    def handle(self, *, folder, dry_run, remarks, verbosity, **options):
        progress = self._progress if verbosity else quiet
        try:
            report = import_directory(read_folder(folder, progress=progress), progress=progress, dry_run=dry_run)
        except UnreadableFile as fault:
            raise CommandError(str(fault)) from fault
        if verbosity:
            self._print(report, remarks)
        if verbosity and dry_run:
            self.stdout.write("Essai à blanc : rien n’a été écrit.")
        elif verbosity:
            for kind in Establishment.Kind:
                total = Establishment.objects.open().filter(kind=kind).count()
                self.stdout.write(f"{kind.label} : {total}")

    @property
    def _progress(self) -> Progress:
        return lambda label, total: tqdm(desc=label, total=total, unit=" lignes", leave=False, disable=None)

    def _print(self, report: DirectoryImport, most: int):
        for file in report.files:
            stamp = f", extrait du {file['stamp']}" if file["stamp"] else ""
            self.stdout.write(f"{file['name']} : {file['lines']} lignes{stamp}")
        titles = [f"{title:>12}" for title in report.MEASURES.values()]
        self.stdout.write(f"\n{'':26}{''.join(titles)}")
        for kind, title in report.KINDS.items():
            figures = [f"{report.counts[kind][measure]:>12}" for measure in report.MEASURES]
            self.stdout.write(f"{title:26}{''.join(figures)}")
        self.stdout.write("")
        for remark in report.remarks[:most]:
            place = f"{remark['file']}, ligne {remark['line']} : " if remark["line"] else ""
            self.stdout.write(f"{report.SEVERITIES[remark['severity']]} : {place}{remark['reason']}")
        if len(report.remarks) > most:
            self.stdout.write(f"… et {len(report.remarks) - most} autres remarques, gardées avec le rapport.")
