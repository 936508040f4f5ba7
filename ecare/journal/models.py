"""Append-only history. Entries name their subject and their author by reference ("application:VEHCXTRMWL")."""

import hashlib
import json
from datetime import UTC

from django.db import models


class Chain(models.Model):
    """The head of one subject's history: locked while an entry is added, so that a chain cannot fork."""

    subject = models.CharField(max_length=80, primary_key=True)
    length = models.PositiveIntegerField(default=0)
    digest = models.CharField(max_length=64, default="0" * 64)

    class Meta:
        verbose_name = "chaîne"


class Entry(models.Model):
    """One thing that happened: who, when, what, from which state to which; its digest covers the previous one."""

    subject = models.CharField("objet", max_length=80)
    sequence = models.PositiveIntegerField("rang")
    at = models.DateTimeField("date")
    verb = models.CharField("verbe", max_length=40)
    actor = models.CharField("auteur", max_length=80, help_text="Référence : « user:12 », « system ».")
    actor_label = models.CharField("nom de l’auteur", max_length=160)
    from_state = models.CharField("état avant", max_length=40, blank=True)
    to_state = models.CharField("état après", max_length=40, blank=True)
    message = models.TextField("message", blank=True)
    data = models.JSONField("données", default=dict, blank=True)
    previous = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)

    class Meta:
        verbose_name = "écriture"
        ordering = ["subject", "sequence"]
        constraints = [models.UniqueConstraint(fields=["subject", "sequence"], name="one_entry_per_rank")]
        indexes = [models.Index(fields=["-at"], name="journal_latest")]

    def computed_digest(self) -> str:
        """SHA-256 over every column but itself; times in microseconds, which both engines keep."""
        content = [
            self.subject,
            self.sequence,
            self.at.astimezone(UTC).isoformat(timespec="microseconds"),
            self.verb,
            self.actor,
            self.actor_label,
            self.from_state,
            self.to_state,
            self.message,
            self.data,
            self.previous,
        ]
        text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def save(self, *args, **kwargs):
        if self.pk:
            raise TypeError("A journal entry is never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args, **kwargs):
        raise TypeError("A journal entry is never removed.")


class Anchor(models.Model):
    """What the heads of all chains were on a day, signed: a history that is written anew later contradicts it."""

    day = models.DateField("jour", unique=True)
    at = models.DateTimeField("date")
    chains = models.PositiveIntegerField("chaînes")
    entries = models.PositiveBigIntegerField("écritures")
    digest = models.CharField("empreinte de toutes les chaînes", max_length=64)
    content = models.TextField(editable=False, help_text="Le fichier, sans sa signature.")
    signature = models.CharField("signature", max_length=64)

    class Meta:
        verbose_name = "relevé d’empreintes"
        verbose_name_plural = "relevés d’empreintes"
        ordering = ["-day"]

    def __str__(self):
        return f"{self.day:%Y-%m-%d}"

    def save(self, *args, **kwargs):
        if self.pk:
            raise TypeError("An anchor is never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args, **kwargs):
        raise TypeError("An anchor is never removed.")
