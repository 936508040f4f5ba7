"""What agents asked to take out of the portal: one row per export, its progress, and where its sealed bytes rest."""

import uuid
from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from ecare import tracing


class ExportQuerySet(models.QuerySet):
    def visible_to(self, user):
        """An agent's own. Administrators read the list in the administration, and get no file anywhere."""
        if user.is_active and user.is_reviewer:
            return self.filter(asked_by=user)
        return self.none()

    def unfinished(self):
        return self.filter(state__in=Export.UNFINISHED)

    def kept(self):
        """Those whose bytes are there."""
        return self.filter(state=Export.State.READY)


class Export(models.Model):
    """One export. Only the verbs of `exports.actions` move it."""

    class Kind(models.TextChoices):
        QUEUE_CSV = "queue_csv", "Dossiers en CSV"
        QUEUE_XLSX = "queue_xlsx", "Dossiers en XLSX"
        DOSSIER_PDF = "dossier_pdf", "Dossier en PDF"
        DOSSIER_ZIP = "dossier_zip", "Pièces d’un dossier en ZIP"
        DOMAIN_ARCHIVE = "domain_archive", "Archive d’un domaine"

    class State(models.TextChoices):
        WAITING = "waiting", "En attente"
        BUILDING = "building", "En préparation"
        READY = "ready", "Prêt"
        FAILED = "failed", "Échec"
        CANCELLED = "cancelled", "Annulé"
        EXPIRED = "expired", "Expiré"

    UNFINISHED = (State.WAITING, State.BUILDING)
    WITH_FILES = (Kind.DOSSIER_ZIP, Kind.DOMAIN_ARCHIVE)
    OF_DOSSIER = (Kind.DOSSIER_PDF, Kind.DOSSIER_ZIP)

    number = models.UUIDField("numéro", primary_key=True, default=uuid.uuid4, editable=False)
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="exports", verbose_name="demandé par")
    kind = models.CharField("nature", max_length=14, choices=Kind)
    what = models.TextField(
        "objet", blank=True, help_text="Les critères d’une vue, la référence d’un dossier ou un domaine."
    )
    label = models.CharField("intitulé", max_length=300)
    state = models.CharField("état", max_length=9, choices=State, default=State.WAITING)
    done = models.PositiveIntegerField("faits", default=0)
    total = models.PositiveIntegerField("à faire", default=0)
    created_at = models.DateTimeField("demande", default=timezone.now)
    started_at = models.DateTimeField("début", null=True, blank=True)
    finished_at = models.DateTimeField("fin", null=True, blank=True)
    expires_at = models.DateTimeField("expiration", null=True, blank=True)
    name = models.CharField("nom du fichier", max_length=200, blank=True)
    size = models.PositiveBigIntegerField("taille (octets)", null=True, blank=True)
    sha256 = models.CharField("SHA-256", max_length=64, blank=True)
    storage_name = models.CharField(max_length=100, blank=True, editable=False)
    error = models.CharField("remarque", max_length=300, blank=True)
    role = models.CharField("rôle à la préparation", max_length=13, blank=True, help_text="De qui l’a demandé.")
    regions = models.JSONField("régions des dossiers remis", default=list, blank=True)
    downloads = models.PositiveIntegerField("téléchargements", default=0)
    attempts = models.PositiveSmallIntegerField("essais", default=0)
    lease = models.UUIDField(null=True, blank=True, editable=False)
    leased_until = models.DateTimeField(null=True, blank=True, editable=False)
    request_id = models.CharField(
        max_length=tracing.LENGTH, default=tracing.current, db_default="", blank=True, editable=False
    )

    objects = ExportQuerySet.as_manager()

    class Meta:
        verbose_name = "export"
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["asked_by", "-created_at"], name="exports_of_a_person"),
            models.Index(fields=["created_at"], name="export_to_build", condition=Q(state__in=["waiting", "building"])),
            models.Index(fields=["expires_at"], name="export_to_forget", condition=Q(state="ready")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="ready")
                | Q(finished_at__isnull=False, expires_at__isnull=False, size__isnull=False)
                & ~Q(storage_name="")
                & ~Q(sha256=""),
                name="ready_export_has_its_bytes",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["building", "ready"]) | Q(storage_name=""), name="ended_export_has_no_bytes"
            ),
            models.CheckConstraint(
                condition=Q(state="building") | Q(lease=None, leased_until=None),
                name="only_a_building_export_is_leased",
            ),
        ]

    def __str__(self):
        return f"{self.get_kind_display()} : {self.label}"

    @property
    def subject(self) -> str:
        """How letters and the journal name this export."""
        return f"export:{self.number}"

    @property
    def is_unfinished(self) -> bool:
        return self.state in self.UNFINISHED

    @property
    def is_of_dossier(self) -> bool:
        return self.kind in self.OF_DOSSIER

    @property
    def lane(self) -> str:
        """Exports of one lane are built one after the other, so that a long one holds back neither a short one nor
        every worker."""
        if self.is_of_dossier:
            return "dossier"
        return "archive" if self.kind == self.Kind.DOMAIN_ARCHIVE else "queue"

    @property
    def percent(self) -> int:
        return 100 * self.done // self.total if self.total else 0

    def is_taken(self, at: datetime) -> bool:
        """By a worker that gave a sign of life lately."""
        return self.leased_until is not None and self.leased_until > at
