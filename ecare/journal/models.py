"""Append-only history. Entries name their subject and their author by reference ("application:VEHCXTRMWL")."""

import hashlib
import json
from datetime import UTC

from django.db import models
from django.db.models import F, Subquery, Value
from django.db.models.functions import Concat

ERASED = "personne effacée"


class Chain(models.Model):
    """The head of one subject's history: locked while an entry is added, so that a chain cannot fork."""

    subject = models.CharField(max_length=80, primary_key=True)
    length = models.PositiveIntegerField(default=0)
    digest = models.CharField(max_length=64, default="0" * 64)

    class Meta:
        verbose_name = "chaîne"


class Veil(models.Model):
    """What pages show no more of somebody whose data were erased: the entries stay, for their chain (ADR 37).

    `reference`: of the person, or of what is about them alone ("user:12", "invitation:3"); `name`: what they were
    called in the words of other entries, or "".
    """

    reference = models.CharField(max_length=80)
    name = models.CharField(max_length=160, blank=True)

    class Meta:
        verbose_name = "voile"
        verbose_name_plural = "voiles"
        constraints = [models.UniqueConstraint(fields=["reference", "name"], name="one_veil_per_name")]


class _Joined(models.Aggregate):
    """Every value in one text, a line each."""

    function = "STRING_AGG"
    template = "%(function)s(%(expressions)s, CHR(10))"
    output_field = models.TextField()

    def as_sqlite(self, compiler, connection, **extra):
        return self.as_sql(
            compiler, connection, function="GROUP_CONCAT", template="%(function)s(%(expressions)s, CHAR(10))", **extra
        )


def _veils():
    """One text for the whole question, so that no page asks twice: « reference TAB name » on each line."""
    one = Concat(F("reference"), Value("\t"), F("name"), output_field=models.TextField())
    return Subquery(Veil.objects.order_by().values(all=Value(1)).annotate(text=_Joined(one)).values("text")[:1])


class EntryManager(models.Manager["Entry"]):
    def get_queryset(self):
        return super().get_queryset().annotate(veils=_veils())


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

    objects = EntryManager()

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

    # --- as pages show it -------------------------------------------------------------------------------------------
    @property
    def author(self) -> str:
        """Who did it, unless their data were erased since."""
        return ERASED if self.actor in self._veiled else self.actor_label

    @property
    def words(self) -> str:
        return "" if self.subject in self._veiled else _without(self._names, self.message)

    @property
    def facts(self) -> dict:
        return {} if self.subject in self._veiled else _without(self._names, self.data)

    @property
    def _pairs(self) -> list[list[str]]:
        return [line.split("\t") for line in (getattr(self, "veils", None) or "").splitlines()]

    @property
    def _veiled(self) -> set[str]:
        return {reference for reference, _ in self._pairs}

    @property
    def _names(self) -> list[str]:
        """The longest first: one may be a part of another."""
        return sorted({name for _, name in self._pairs if name}, key=len, reverse=True)

    def save(self, *args, **kwargs):
        if self.pk:
            raise TypeError("A journal entry is never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args, **kwargs):
        raise TypeError("A journal entry is never removed.")


def _without(names: list[str], value):
    """The same words, lists and facts, but for these names."""
    if isinstance(value, str):
        for name in names:
            value = value.replace(name, ERASED)
    elif isinstance(value, dict):
        value = {key: _without(names, one) for key, one in value.items()}
    elif isinstance(value, list):
        value = [_without(names, one) for one in value]
    return value


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
