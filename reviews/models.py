"""What the reviewers add to a dossier."""

from django.db import models
from django.utils import timezone

from accounts.models import User
from applications.models import Application
from evidence.models import StoredFile


class Convention(models.Model):
    """The funding convention between the ANS and the establishment, once signed."""

    application = models.OneToOneField(Application, models.PROTECT, related_name="convention", verbose_name="dossier")
    signed_on = models.DateField("signée le")
    file = models.OneToOneField(StoredFile, models.PROTECT, related_name="+", verbose_name="exemplaire signé")
    recorded_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name="enregistrée par")
    recorded_at = models.DateTimeField("enregistrée le", default=timezone.now)

    class Meta:
        verbose_name = "convention"
