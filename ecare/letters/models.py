"""The outbox: each letter is a row written with the change that causes it."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

# Stands in the stored text where delivery puts the secret.
SECRET_MARK = "⟦secret⟧"  # noqa: S105


class LetterQuerySet(models.QuerySet):
    def waiting(self, now):
        """Those that have not left and that no living worker holds."""
        return self.filter(state__in=(Letter.State.QUEUED, Letter.State.SENDING)).filter(
            Q(leased_until=None) | Q(leased_until__lt=now)
        )

    def due(self, now):
        """Those a worker may take: waiting, or taken by a worker whose lease ran out."""
        return self.waiting(now).filter(send_after__lte=now)

    def about(self, subject: str):
        return self.filter(subject=subject)


class Letter(models.Model):
    """One mail to one person, in text and HTML."""

    class State(models.TextChoices):
        QUEUED = "queued", "En attente d’envoi"
        SENDING = "sending", "En cours d’envoi"
        SENT = "sent", "Envoyé"
        FAILED = "failed", "Échec"
        CANCELLED = "cancelled", "Annulé"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField("nom", max_length=40, help_text="Participe passé du verbe : « submitted ».")
    subject = models.CharField("objet concerné", max_length=80, blank=True, help_text="« application:VEHCXTRMWL »")
    recipient = models.EmailField("destinataire", max_length=254)
    title = models.CharField("objet du courrier", max_length=200)
    text = models.TextField("texte")
    html = models.TextField("HTML")
    secret = models.BinaryField(
        null=True, editable=False, help_text="Scellé ; remplace le repère dans le texte à l’envoi, puis s’efface."
    )
    state = models.CharField("état", max_length=9, choices=State, default=State.QUEUED)
    created_at = models.DateTimeField("création", default=timezone.now)
    send_after = models.DateTimeField("pas avant", default=timezone.now)
    expires_at = models.DateTimeField("caduc après", null=True, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True, editable=False)
    lease = models.UUIDField(null=True, blank=True, editable=False)
    attempts = models.PositiveSmallIntegerField("essais", default=0)
    sent_at = models.DateTimeField("envoi", null=True, blank=True)
    error = models.CharField("dernière erreur", max_length=200, blank=True)

    objects = LetterQuerySet.as_manager()

    class Meta:
        verbose_name = "courrier"
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["send_after"], name="letter_due", condition=Q(state__in=["queued", "sending"])),
            models.Index(fields=["subject", "-created_at"], name="letter_subject"),
        ]
        constraints = [
            models.CheckConstraint(condition=~Q(state="sent") | Q(sent_at__isnull=False), name="sent_has_a_date"),
            models.CheckConstraint(
                condition=Q(state__in=["queued", "sending"]) | Q(secret__isnull=True), name="no_secret_after_sending"
            ),
        ]

    def __str__(self):
        return f"{self.name} → {self.recipient}"

    @property
    def message_id(self) -> str:
        """The same on each retry, so that a doubled letter is seen as one."""
        return f"<{self.id}@ecare>"

    @property
    def carries_secret(self) -> bool:
        """True for the whole life of the letter, also once its secret was erased."""
        return SECRET_MARK in self.text
