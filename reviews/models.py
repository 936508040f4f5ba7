"""What the reviewers add to a dossier, and what they keep for themselves."""

from django.db import models
from django.utils import timezone

from accounts.models import User
from applications.models import Application
from applications.states import Desk
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


class Assignment(models.Model):
    """The agent of one desk who follows a dossier: one of the ARS, one of the ANS."""

    application = models.ForeignKey(Application, models.CASCADE, related_name="assignments", verbose_name="dossier")
    desk = models.CharField("bureau", max_length=3, choices=Desk)
    agent = models.ForeignKey(User, models.CASCADE, related_name="assignments", verbose_name="suivi par")
    by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name="attribué par")
    at = models.DateTimeField("date", default=timezone.now)

    class Meta:
        verbose_name = "attribution"
        constraints = [models.UniqueConstraint(fields=["application", "desk"], name="one_agent_per_desk")]


class SavedView(models.Model):
    """A view of the queue that an agent named: the filters of its address."""

    owner = models.ForeignKey(User, models.CASCADE, related_name="views", verbose_name="agent")
    name = models.CharField("nom de la vue", max_length=60)
    query = models.CharField("filtres", max_length=600, blank=True)

    class Meta:
        verbose_name = "vue enregistrée"
        verbose_name_plural = "vues enregistrées"
        ordering = ["name", "pk"]
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="one_view_per_name")]
