"""Who is invited to become an agent, by a letter that carries a secret."""

import hashlib
import hmac
import secrets
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone

from accounts.models.people import User
from ecare.sealing import derived_key
from establishments.models import Region

INVITED_ROLES = [choice for choice in User.Role.choices if choice[0] != User.Role.REFERENT]


class InvitationQuerySet(models.QuerySet):
    def unanswered(self):
        """Neither accepted nor revoked, good or expired: the only one of its e-mail."""
        return self.filter(accepted_at=None, revoked_at=None)

    def in_state(self, state: str):
        now = timezone.now()
        return {
            Invitation.State.WAITING: self.unanswered().filter(until__gt=now),
            Invitation.State.EXPIRED: self.unanswered().filter(until__lte=now),
            Invitation.State.ACCEPTED: self.filter(accepted_at__isnull=False),
            Invitation.State.REVOKED: self.filter(revoked_at__isnull=False),
        }[Invitation.State(state)]


class Invitation(models.Model):
    """A role offered to an e-mail; its link serves once, for seven days. Only a keyed hash of the secret is kept."""

    class State(models.TextChoices):
        WAITING = "waiting", "En attente"
        ACCEPTED = "accepted", "Acceptée"
        EXPIRED = "expired", "Expirée"
        REVOKED = "revoked", "Révoquée"

    LIFETIME = timedelta(days=7)

    email = models.EmailField("adresse e-mail", max_length=254)
    role = models.CharField("rôle", max_length=13, choices=INVITED_ROLES)
    regions = models.ManyToManyField(Region, blank=True, related_name="invitations", verbose_name="régions (ARS)")
    by = models.ForeignKey(
        User, models.PROTECT, null=True, editable=False, related_name="invitations", verbose_name="invitée par"
    )
    token = models.CharField(max_length=64, unique=True, editable=False, help_text="HMAC-SHA-256 du secret.")
    sent_at = models.DateTimeField("envoyée le", editable=False)
    until = models.DateTimeField("valable jusqu’au", editable=False)
    accepted_at = models.DateTimeField("acceptée le", null=True, editable=False)
    person = models.OneToOneField(
        User, models.PROTECT, null=True, editable=False, related_name="invitation", verbose_name="compte ouvert"
    )
    revoked_at = models.DateTimeField("révoquée le", null=True, editable=False)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        verbose_name = "invitation"
        ordering = ["-sent_at"]
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                condition=Q(accepted_at__isnull=True, revoked_at__isnull=True),
                name="one_unanswered_invitation_per_email",
            ),
            models.CheckConstraint(condition=~Q(role="referent"), name="only_agents_are_invited"),
            models.CheckConstraint(
                condition=Q(accepted_at__isnull=True, person__isnull=True)
                | Q(accepted_at__isnull=False, person__isnull=False, revoked_at__isnull=True),
                name="accepted_means_an_account",
            ),
        ]

    def __str__(self):
        return f"{self.email} ({self.get_role_display()})"

    @property
    def subject(self) -> str:
        """How letters and the journal name it."""
        return f"invitation:{self.pk}"

    @property
    def state(self) -> State:
        if self.accepted_at:
            return self.State.ACCEPTED
        if self.revoked_at:
            return self.State.REVOKED
        return self.State.WAITING if self.until > timezone.now() else self.State.EXPIRED

    def renew(self) -> str:
        """A fresh secret, which makes the former one useless; returned once, never stored."""
        secret = secrets.token_urlsafe(32)
        self.token, self.sent_at = self.digest(secret), timezone.now()
        self.until = self.sent_at + self.LIFETIME
        return secret

    @staticmethod
    def digest(secret: str) -> str:
        key = derived_key(settings.SECRET_KEY.encode(), purpose="invitation")
        return hmac.new(key, secret.encode(), hashlib.sha256).hexdigest()

    @classmethod
    def opened_by(cls, secret: str) -> "Invitation | None":
        """The invitation that a link leads to, in whatever state; None once another letter took its place."""
        return cls.objects.filter(token=cls.digest(secret)).first()
