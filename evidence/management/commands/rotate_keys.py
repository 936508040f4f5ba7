from django.core.management.base import BaseCommand, CommandError

from ecare.sealing import keyring, sealing_key
from evidence import rotation
from evidence.storage import StoreDown


class Command(BaseCommand):
    help = (
        "Seal anew, with the first key of ECARE_VAULT_KEYS, everything that a former key sealed; then say what is left "
        "of each key. Safe while people work; stopped, it goes on when it is run again."
    )

    def add_arguments(self, parser):
        parser.add_argument("--report", action="store_true", help="count only, change nothing")
        parser.add_argument(
            "--grace",
            type=float,
            default=600,
            help="seconds until a former object is deleted, so that downloads under way end well (600 by default)",
        )

    def handle(self, *, report, grace, **options):
        try:
            faults = [] if report else self._reseal(grace)
            self._report()
        except StoreDown as error:
            raise CommandError(f"Storage is down ({error}): run this again once it is back.") from None
        for fault in faults:
            self.stderr.write(fault)
        if faults:
            raise CommandError(f"{len(faults)} cannot be opened and were left as they are.")

    def _reseal(self, grace: float) -> list[str]:
        outcome = rotation.reseal(grace=grace, tell=self.stdout.write)
        for what, number in sorted(outcome.resealed.items()):
            self.stdout.write(f"{what}: {number} sealed anew")
        return outcome.faults

    def _report(self) -> None:
        counts = rotation.count()
        names = {name for found in counts.values() for name in found} | set(keyring())
        for name in sorted(names, key=lambda name: (name != sealing_key(), name)):
            left = {what: found[name] for what, found in counts.items() if found[name]}
            said = ", ".join(f"{number} {what}" for what, number in left.items())
            if name == sealing_key():
                self.stdout.write(f"{name} (seals now): {said or 'nothing yet'}")
            elif name not in keyring():
                self.stdout.write(f"{name} (NOT in ECARE_VAULT_KEYS): {said}")
            else:
                self.stdout.write(f"{name}: {said or 'nothing is left, it may be dropped'}")
