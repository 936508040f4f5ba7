"""Who reads by machine."""

from django.db import models
from django.utils import timezone


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
