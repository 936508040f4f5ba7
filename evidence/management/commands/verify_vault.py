from datetime import UTC, datetime, time
from itertools import islice

from django.core.management.base import BaseCommand, CommandError
from django.utils.dateparse import parse_date

from evidence import vault
from evidence.storage import StoreDown
from evidence.verification import examine, look_at

FILES = "evidence.StoredFile"


class Command(BaseCommand):
    help = (
        "Read everything in the vault, open its seal, compare size and digest with what was noted when it came in. "
        "Names what is missing, altered, or sealed with a key that is not there."
    )

    def add_arguments(self, parser):
        parser.add_argument("--since", metavar="DAY", help="files put in on this day (2026-11-28) or later")
        parser.add_argument("--limit", type=int, metavar="N", help="the next N files")
        parser.add_argument("--after", metavar="ID", help="files after this one: where a run was stopped")
        parser.add_argument("--sample", type=int, metavar="N", help="N files drawn at random")

    def handle(self, *, since, limit, after, sample, **options):
        self.read = self.bytes = self.faults = 0
        self.last = after
        try:
            for shelf in vault.shelves():
                if shelf.label == FILES:
                    self._files(shelf, since=since, limit=limit, after=after, sample=sample)
                elif not (since or limit or sample):
                    self._note(examine(shelf))
        except StoreDown as error:
            more = f" --after {self.last}" if self.last else ""
            raise CommandError(f"Storage is down ({error}). To go on: verify_vault{more}") from None
        if self.faults:
            raise CommandError(f"{self.faults} of {self.read} are missing, altered or cannot be opened.")
        self.stdout.write(f"{self.read} intact, {self.bytes} bytes read.")

    def _files(self, shelf, *, since, limit, after, sample) -> None:
        which = {"created_at__gte": _midnight(since)} if since else {}
        if sample:
            self._note(look_at(shelf, row) for row in shelf.rows.filter(**which).order_by("?")[:sample])
            return
        found = examine(shelf, after=after, **which)
        self._note(islice(found, limit), keep=True)  # None: all of them
        if limit and self.last:
            self.stdout.write(f"up to {self.last}")

    def _note(self, findings, *, keep: bool = False) -> None:
        """`keep`: these are gone through in an order that another run can go on with."""
        for finding in findings:
            self.read += 1
            self.bytes += finding.size
            if finding.fault:
                self.faults += 1
                self.stderr.write(f"{finding.label} {finding.pk}: {finding.fault}")
            elif finding.remark:
                self.stdout.write(f"{finding.label} {finding.pk}: {finding.remark}")
            if keep:
                self.last = finding.pk
                if self.read % 1000 == 0:
                    self.stdout.write(f"{self.read} read, up to {self.last}")


def _midnight(day: str) -> datetime:
    found = parse_date(day)
    if found is None:
        raise CommandError("--since takes a day: 2026-11-28")
    return datetime.combine(found, time.min, UTC)
