"""Who asks to hold a dossier that a colleague holds."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from applications.models.application import Application


class TakeOverQuerySet(models.QuerySet):
    def visible_to(self, user):
        """An agent's, of the dossiers that they see; a référent reads of their own requests elsewhere."""
        if user.is_referent:
            return self.none()
        return self.filter(application__in=Application.objects.visible_to(user))

    def open(self):
        return self.filter(state=TakeOverRequest.State.OPEN)

    def to_answer_for(self, user):
        """What colleagues ask of the dossiers that this person holds, and nobody has decided yet."""
        asked = self.open().filter(application__referent=user)
        return asked.select_related("by", "application__domain").order_by("at")


class TakeOverRequest(models.Model):
    """A référent asks to take over a dossier of their establishment; the ARS of its region or the ANS decides."""

    class State(models.TextChoices):
        OPEN = "open", "En attente"
        ACCEPTED = "accepted", "Acceptée"
        REFUSED = "refused", "Refusée"
        MOOT = "moot", "Sans objet"

    application = models.ForeignKey(
        Application, models.PROTECT, related_name="take_over_requests", verbose_name="dossier"
    )
    by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name="demandée par")
    at = models.DateTimeField("date", default=timezone.now)
    reason = models.TextField("motif de la demande")
    state = models.CharField("état", max_length=8, choices=State, default=State.OPEN)
    decided_by = models.ForeignKey(
        User, models.PROTECT, related_name="+", null=True, blank=True, verbose_name="décidée par"
    )
    decided_at = models.DateTimeField("décision", null=True, blank=True)
    message = models.TextField("motif du refus", blank=True)

    objects = TakeOverQuerySet.as_manager()

    class Meta:
        verbose_name = "demande de reprise"
        verbose_name_plural = "demandes de reprise"
        ordering = ["-at"]
        constraints = [
            models.UniqueConstraint(
                fields=["application", "by"], condition=Q(state="open"), name="one_open_take_over_per_person"
            ),
            models.CheckConstraint(
                condition=Q(state="open", decided_at=None) | (~Q(state="open") & Q(decided_at__isnull=False)),
                name="decided_take_over_has_a_date",
            ),
        ]

    def __str__(self):
        return f"{self.application} → {self.by}"

    @property
    def is_open(self) -> bool:
        return self.state == self.State.OPEN
