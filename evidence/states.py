"""What the antivirus knows of a stored file, and its place in the line to be looked at."""

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone


class Scan(models.TextChoices):
    PENDING = "pending", "Analyse en cours"
    CLEAN = "clean", "Analysé, sain"
    INFECTED = "infected", "Infecté, mis en quarantaine"
    FAILED = "failed", "Analyse impossible"
    NOT_SCANNED = "not_scanned", "Non analysé (démonstration)"
    CONTAINER = "container", "Conteneur chiffré : son contenu ne peut pas être analysé"
    REPORTED = "reported", "Signalé : il contiendrait des données de patients"
    PURGED = "purged", "Purgé : il contenait des données de patients"


READABLE = (Scan.CLEAN, Scan.NOT_SCANNED, Scan.CONTAINER)
WITHHELD = (Scan.INFECTED, Scan.FAILED)
"""Nobody reads it until it is replaced, or looked at once more and found clean."""


class ScannedQuerySet(models.QuerySet):
    def awaiting_scan(self):
        """Those that nobody reads before the antivirus has looked at them; the oldest: `.earliest("created_at")`."""
        return self.filter(scan=Scan.PENDING)

    def infected(self):
        return self.filter(scan=Scan.INFECTED)

    def unscannable(self):
        """Those that the antivirus never came to the end of."""
        return self.filter(scan=Scan.FAILED)

    def withheld(self):
        return self.filter(scan__in=WITHHELD)

    def queued(self):
        """In the line of the antivirus: for the first time, or once more."""
        return self.filter(scan_after__isnull=False).exclude(scan=Scan.PURGED)

    def due_for_scan(self, at: datetime):
        """Of those, the ones that no worker has in hand and whose pause is over."""
        is_free = Q(scan_leased_until=None) | Q(scan_leased_until__lte=at)
        return self.queued().filter(is_free, scan_after__lte=at)

    def being_scanned(self, at: datetime):
        return self.filter(scan_leased_until__gt=at)


class Scanned(models.Model):
    """`scan`: what is known of the file. Apart from that, `scan_after` says whether the antivirus is to look at it:
    what was found clean is read while it is looked at once more."""

    scan = models.CharField("analyse", max_length=11, choices=Scan, default=Scan.PENDING)
    scan_after = models.DateTimeField(
        "à analyser après", default=timezone.now, null=True, blank=True, help_text="Vide : aucune analyse n’est prévue."
    )
    scan_attempts = models.PositiveSmallIntegerField(
        "essais d’analyse", default=0, help_text="Ceux que l’antivirus, sans être en panne, n’a pas menés à leur fin."
    )
    scan_lease = models.UUIDField(null=True, blank=True, editable=False)
    scan_leased_until = models.DateTimeField(null=True, blank=True, editable=False)
    scanned_at = models.DateTimeField("dernière analyse", null=True, blank=True)
    scan_found = models.CharField("ce que l’antivirus a dit", max_length=200, blank=True)

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=~Q(scan="pending") | Q(scan_after__isnull=False), name="pending_file_is_queued"
            )
        ]
        indexes = [
            models.Index(fields=["scan_after"], name="files_to_scan", condition=Q(scan_after__isnull=False)),
            models.Index(
                fields=["scan"], name="files_not_clean", condition=Q(scan__in=["pending", "infected", "failed"])
            ),
        ]

    @property
    def is_readable(self) -> bool:
        return self.scan in READABLE

    @property
    def is_awaiting_scan(self) -> bool:
        return self.scan == Scan.PENDING

    @property
    def is_infected(self) -> bool:
        return self.scan == Scan.INFECTED

    @property
    def is_withheld(self) -> bool:
        return self.scan in WITHHELD

    @property
    def is_purged(self) -> bool:
        """Its bytes were destroyed; name apart, the row says what they were."""
        return self.scan == Scan.PURGED
