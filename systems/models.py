"""Who reads by machine: systems, the tokens they show, and how much they read."""

from datetime import date, datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from applications.models import Application, Domain
from ecare.clock import paris_day
from establishments.models import Region


class System(models.Model):
    """An information system of the State, and whoever answers for it."""

    name = models.CharField("nom", max_length=120, unique=True)
    contact = models.EmailField("adresse de la personne responsable", max_length=254)
    purpose = models.CharField("usage", max_length=300, help_text="Pourquoi ce système lit eCaRE.")
    is_active = models.BooleanField("actif", default=True, help_text="Décoché : plus aucune lecture, plus aucun envoi.")
    created_at = models.DateTimeField("création", default=timezone.now, editable=False)

    class Meta:
        verbose_name = "système"
        ordering = ["name"]

    def __str__(self):
        return self.name

    @property
    def subject(self) -> str:
        """How letters and the journal name this system."""
        return f"system:{self.pk}"


class Scope(models.TextChoices):
    """What may be read; nothing unless it is named."""

    DOSSIERS = "dossiers", "Dossiers transmis : état, établissement et dates"
    AMOUNTS = "amounts", "Montants, dans ce que les autres portées ouvrent"
    STATISTICS = "statistics", "Statistiques des dossiers transmis"


class Reader(models.Model):
    """What a machine may read. Closed by default: without a scope, a domain and a region it reads nothing; « all of
    them » is said in so many words."""

    scopes = models.JSONField("portées", default=list)
    all_domains = models.BooleanField(
        "tous les domaines", default=False, help_text="Ceux à venir aussi ; jamais un domaine d’essai."
    )
    domains = models.ManyToManyField(Domain, blank=True, related_name="+", verbose_name="domaines")
    all_regions = models.BooleanField("toutes les régions", default=False)
    regions = models.ManyToManyField(Region, blank=True, related_name="+", verbose_name="régions")

    class Meta:
        abstract = True

    def can_read(self, scope: str) -> bool:
        return scope in self.scopes

    def readable_domains(self):
        """A domain for trial, whose dossiers are fictitious, only where it is named."""
        if self.all_domains:
            return Domain.objects.filter(is_trial=False)
        return Domain.objects.filter(pk__in=self.domains.values("pk"))

    def readable_regions(self):
        if self.all_regions:
            return Region.objects.all()
        return Region.objects.filter(pk__in=self.regions.values("pk"))

    def readable_dossiers(self):
        """Those that were sent, within the limits. What an establishment has not sent yet is its own: a machine does
        not even learn that it exists."""
        found = Application.objects.exclude(candidature_submitted_at=None).filter(domain__in=self.readable_domains())
        return found if self.all_regions else found.filter(establishment__region__in=self.regions.values("pk"))


class Token(Reader):
    """What a system shows to read. Its value is known to whoever received it alone: a digest of it is kept, and its
    first characters, by which people recognise it. Frozen once issued: what it reads is what was agreed to."""

    LONGEST_LIFE_DAYS = 365

    system = models.ForeignKey(System, models.PROTECT, related_name="tokens", verbose_name="système")
    label = models.CharField("intitulé", max_length=120, help_text="L’outil qui s’en servira.")
    prefix = models.CharField("début", max_length=12)
    digest = models.CharField("SHA-256", max_length=64, unique=True, editable=False)
    issued_at = models.DateTimeField("émission", default=timezone.now)
    issued_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name="émis par")
    expires_on = models.DateField("dernier jour de validité", help_text="Un an au plus.")
    revoked_at = models.DateTimeField("révocation", null=True, blank=True)
    revoked_by = models.ForeignKey(
        User, models.PROTECT, related_name="+", null=True, blank=True, verbose_name="révoqué par"
    )
    last_used_at = models.DateTimeField("dernière lecture", null=True, blank=True, help_text="À quelques minutes près.")

    class Meta:
        verbose_name = "jeton"
        ordering = ["-issued_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(revoked_at=None, revoked_by=None) | Q(revoked_at__isnull=False, revoked_by__isnull=False),
                name="revoked_token_has_an_author",
            ),
            models.UniqueConstraint(
                fields=["system", "label"], condition=Q(revoked_at=None), name="one_token_per_label"
            ),
            models.CheckConstraint(condition=Q(digest__regex=r"^[0-9a-f]{64}$"), name="token_is_kept_as_a_digest"),
        ]
        indexes = [models.Index(fields=["expires_on"], name="tokens_to_expire", condition=Q(revoked_at=None))]

    def __str__(self):
        return f"{self.prefix}… ({self.label})"

    def is_expired(self, at: datetime) -> bool:
        """The last day counts until its last second, in Paris."""
        return paris_day(at) > self.expires_on

    def days_left(self, today: date) -> int:
        return (self.expires_on - today).days


class Usage(models.Model):
    """How much was read with a token on one day: counts, never what, nor from where."""

    token = models.ForeignKey(Token, models.CASCADE, related_name="usages", verbose_name="jeton")
    day = models.DateField("jour")
    requests = models.PositiveIntegerField("lectures", default=0)
    dossiers = models.PositiveIntegerField("dossiers lus", default=0)
    refusals = models.PositiveIntegerField("refus", default=0)
    minute = models.DateTimeField("minute en cours", null=True, editable=False)
    in_minute = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        verbose_name = "relevé d’usage"
        verbose_name_plural = "relevés d’usage"
        ordering = ["-day", "token"]
        constraints = [
            models.UniqueConstraint(fields=["token", "day"], name="one_usage_per_token_and_day"),
        ]
        indexes = [models.Index(fields=["-day", "token"], name="usage_latest")]

    def __str__(self):
        return f"{self.token}, {self.day}"
