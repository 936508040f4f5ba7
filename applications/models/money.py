"""What a domain pays: its scale, by kind of establishment and combined activity. All amounts are whole cents."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q

from applications.models.domain import Domain
from establishments.models import Establishment


class Bracket(models.Model):
    """One line of a domain's scale: from so many to so many MCO-equivalent days, both included, this ceiling."""

    domain = models.ForeignKey(Domain, models.CASCADE, related_name="scale", verbose_name="domaine")
    kind = models.CharField("type d’établissement", max_length=7, choices=Establishment.Kind)
    days_from = models.PositiveIntegerField("journées, de", help_text="Incluses.")
    days_until = models.PositiveIntegerField(
        "journées, à", null=True, blank=True, help_text="Incluses. Vide : sans limite."
    )
    ceiling = models.PositiveBigIntegerField("plafond (centimes d’euro)")

    class Meta:
        verbose_name = "tranche du barème"
        verbose_name_plural = "barème"
        ordering = ["domain", "kind", "days_from"]
        constraints = [
            models.UniqueConstraint(fields=["domain", "kind", "days_from"], name="one_bracket_per_first_day"),
            models.CheckConstraint(
                condition=Q(days_until=None) | Q(days_until__gte=F("days_from")), name="bracket_ends_after_it_starts"
            ),
        ]

    def __str__(self):
        until = "et au-delà" if self.days_until is None else f"à {self.days_until}"
        return f"{self.get_kind_display()}, de {self.days_from} {until}"

    def clean(self):
        if self.days_from is not None and self.days_until is not None and self.days_until < self.days_from:
            raise ValidationError({"days_until": "La tranche finit avant de commencer."})

    def holds(self, days: int) -> bool:
        return self.days_from <= days and (self.days_until is None or days <= self.days_until)
