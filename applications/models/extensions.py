"""More time for one establishment, in one domain, for one step."""

from datetime import date

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from applications.models.domain import Domain
from applications.states import Step
from establishments.models import Establishment


class ExtensionQuerySet(models.QuerySet):
    def visible_to(self, user):
        """To agents, of the establishments of their regions; a référent reads of theirs on their own pages."""
        if not user.is_active or not user.is_reviewer:
            return self.none()
        return self if user.is_ans else self.filter(establishment__region__in=user.regions.all())

    def in_force(self):
        return self.filter(state=Extension.State.IN_FORCE)

    def days_of(self, establishment) -> dict[tuple[int, str], date]:
        """The last days given to an establishment, by domain and step: one query for all of them."""
        rows = self.in_force().filter(establishment=establishment).values_list("domain", "step", "until")
        return {(domain, step): until for domain, step, until in rows}

    def held_for(self, domain, establishment) -> dict[str, date | None]:
        """What a new dossier keeps of them, by its column; none is given or withdrawn in the same transaction."""
        list(Establishment.objects.select_for_update(of=("self",), no_key=True).filter(pk=establishment.pk))
        days = self.days_of(establishment)
        return {f"{step}_extended_until": days.get((domain.pk, step)) for step in Step}

    def matching(self, words: str):
        return self.filter(establishment__in=Establishment.objects.matching(words)) if words else self


class Extension(models.Model):
    """« Prolongation ». Of the candidature it also lengthens the time to start one; a dossier need not exist yet. The
    dossier keeps the day as well (`candidature_extended_until`…), so that its deadlines ask nothing of this table."""

    class State(models.TextChoices):
        IN_FORCE = "in_force", "En vigueur"
        REPLACED = "replaced", "Remplacée"
        WITHDRAWN = "withdrawn", "Retirée"

    domain = models.ForeignKey(Domain, models.PROTECT, related_name="extensions", verbose_name="domaine")
    establishment = models.ForeignKey(
        Establishment, models.PROTECT, related_name="extensions", verbose_name="établissement"
    )
    step = models.CharField("étape", max_length=11, choices=Step)
    until = models.DateField("dernier jour")
    reason = models.TextField("motif")
    by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name="accordée par")
    at = models.DateTimeField("date", default=timezone.now)
    state = models.CharField("état", max_length=9, choices=State, default=State.IN_FORCE)
    ended_by = models.ForeignKey(
        User, models.PROTECT, related_name="+", null=True, blank=True, verbose_name="retirée ou remplacée par"
    )
    ended_at = models.DateTimeField("fin", null=True, blank=True)
    message = models.TextField("motif du retrait", blank=True)

    objects = ExtensionQuerySet.as_manager()

    class Meta:
        verbose_name = "prolongation"
        ordering = ["-at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["establishment", "domain", "step"],
                condition=Q(state="in_force"),
                name="one_extension_in_force",
            ),
            models.CheckConstraint(
                condition=Q(state="in_force", ended_at=None) | ~Q(state="in_force") & Q(ended_at__isnull=False),
                name="ended_extension_has_a_date",
            ),
        ]
        indexes = [models.Index(fields=["-at"], name="extension_latest")]

    def __str__(self):
        return f"{self.establishment} – {self.domain}, {self.get_step_display()}"

    @property
    def subject(self) -> str:
        """How letters and the journal name this extension."""
        return f"extension:{self.pk}"

    @property
    def is_in_force(self) -> bool:
        return self.state == self.State.IN_FORCE
