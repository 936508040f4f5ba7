"""An e-mail that an administrator put in the place of another."""

from datetime import timedelta

from django.core import signing
from django.db import models
from django.utils import timezone

from accounts.models.people import User


class EmailCorrectionQuerySet(models.QuerySet):
    def held(self):
        """Those that the former mailbox may still stop."""
        return self.filter(until__gt=timezone.now())


class EmailCorrection(models.Model):
    """Until an instant the former mailbox may stop it, and the new one is no way to another password (ADR 31)."""

    HOLD = timedelta(hours=72)  # what happens on a Friday evening is read on Monday

    user = models.OneToOneField(User, models.CASCADE, related_name="email_correction")
    former = models.EmailField("ancienne adresse e-mail")
    until = models.DateTimeField("fin du délai d’opposition")

    objects = EmailCorrectionQuerySet.as_manager()

    class Meta:
        verbose_name = "remplacement d’adresse"
        verbose_name_plural = "remplacements d’adresse"

    @property
    def key(self) -> str:
        """What the link to stop it ends with."""
        return signing.dumps(self.pk, salt="accounts.EmailCorrection")

    @classmethod
    def opened_by(cls, key: str) -> "EmailCorrection | None":
        """The correction that a link leads to; None once it is over."""
        try:
            pk = signing.loads(key, salt="accounts.EmailCorrection")
        except signing.BadSignature:
            return None
        return cls.objects.held().select_related("user").filter(pk=pk).first()
