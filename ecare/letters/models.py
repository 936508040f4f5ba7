"""The outbox: each letter is a row written with the change that causes it."""

import uuid
from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q
from django.utils import timezone

from ecare import tracing

# Stands in the stored text where delivery puts the secret.
SECRET_MARK = "⟦secret⟧"  # noqa: S105
DIGEST = "digest"  # the name of the daily letter
PATIENCE = timedelta(minutes=15)  # a letter leaves within seconds: one that waits longer is stuck


class LetterQuerySet(models.QuerySet):
    def waiting(self, now):
        """Those that have not left and that no living worker has taken."""
        return self._free(now, Letter.State.QUEUED, Letter.State.SENDING, Letter.State.HELD)

    def due(self, now):
        """Those a worker may take: waiting, or taken by a worker whose lease ran out."""
        return self._free(now, Letter.State.QUEUED, Letter.State.SENDING).filter(send_after__lte=now)

    def _free(self, now, *states):
        return self.filter(state__in=states).filter(Q(leased_until=None) | Q(leased_until__lt=now))

    def stuck(self, at):
        """Those that should have left by then: nobody took them, or the mail server does not take them."""
        since = at - PATIENCE
        untaken = Q(send_after__lt=since)
        put_off = Q(created_at__lt=since, state__in=Letter.UNDER_WAY) & (Q(attempts__gt=0) | ~Q(error=""))
        return self.filter(untaken | put_off, state__in=[*Letter.UNDER_WAY, Letter.State.HELD])

    def held(self):
        """Those that wait for the daily letter of their recipient."""
        return self.filter(state=Letter.State.HELD)

    def told_in_a_waiting_digest(self, now):
        """Those whose daily letter is written and has not left."""
        return self.filter(state=Letter.State.GATHERED, digest__in=Letter.objects.waiting(now))

    def about(self, subject: str):
        return self.filter(subject=subject)


class Letter(models.Model):
    """One mail to one person, in text and HTML."""

    class State(models.TextChoices):
        QUEUED = "queued", "En attente d’envoi"
        SENDING = "sending", "En cours d’envoi"
        SENT = "sent", "Envoyé"
        FAILED = "failed", "Échec"
        CANCELLED = "cancelled", "Annulé"
        HELD = "held", "Retenu pour le courrier quotidien"
        GATHERED = "gathered", "Réuni dans le courrier quotidien"

    UNDER_WAY = (State.QUEUED, State.SENDING)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField("nom", max_length=40)
    subject = models.CharField("référence", max_length=80, blank=True, help_text="De ce dont parle ce courrier.")
    recipient = models.EmailField("destinataire", max_length=254)
    title = models.CharField("objet du courrier", max_length=200)
    text = models.TextField("texte")
    html = models.TextField("HTML")
    link = models.CharField("page", max_length=300, blank=True, help_text="Où mène son premier bouton.")
    premise = models.JSONField(
        "condition", default=dict, blank=True, editable=False, help_text="Ce qui doit rester vrai jusqu’à l’envoi."
    )
    secret = models.BinaryField(
        null=True, editable=False, help_text="Scellé ; remplace le repère dans le texte à l’envoi, puis s’efface."
    )
    state = models.CharField("état", max_length=9, choices=State, default=State.QUEUED)
    created_at = models.DateTimeField("création", default=timezone.now)
    send_after = models.DateTimeField("pas avant", default=timezone.now)
    expires_at = models.DateTimeField("caduc après", null=True, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True, editable=False)
    lease = models.UUIDField(null=True, blank=True, editable=False)
    attempts = models.PositiveSmallIntegerField("tentatives", default=0)
    begun_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="La conversation avec le serveur est commencée."
    )
    may_be_doubled = models.BooleanField(
        "peut-être parti deux fois",
        default=False,
        editable=False,
        help_text="Un envoi s’est interrompu avant la réponse du serveur : le courrier est reparti, sous le même "
        "identifiant (Message-ID).",
    )
    sent_at = models.DateTimeField("envoi", null=True, blank=True)
    error = models.CharField("dernière erreur", max_length=200, blank=True)
    once = models.CharField(
        "une seule fois", max_length=120, null=True, editable=False, unique=True, help_text="Clé d’un rappel."
    )
    digest = models.ForeignKey(
        "self",
        models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="gathered",
        verbose_name="courrier quotidien",
    )
    request_id = models.CharField(
        max_length=tracing.LENGTH, default=tracing.current, db_default="", blank=True, editable=False
    )

    objects = LetterQuerySet.as_manager()

    class Meta:
        verbose_name = "courrier"
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["send_after"], name="letter_due", condition=Q(state__in=["queued", "sending"])),
            models.Index(fields=["send_after"], name="letter_held", condition=Q(state="held")),
            models.Index(fields=["subject", "-created_at"], name="letter_subject"),
            models.Index(fields=["created_at"], name="letter_failed", condition=Q(state="failed")),
        ]
        constraints = [
            models.CheckConstraint(condition=~Q(state="sent") | Q(sent_at__isnull=False), name="sent_has_a_date"),
            models.CheckConstraint(
                condition=Q(state__in=["queued", "sending"]) | Q(secret__isnull=True), name="no_secret_after_sending"
            ),
        ]

    def __str__(self):
        return f"{self.name} → {self.recipient}"

    @property
    def tells_of(self):
        """Of a daily letter, the letters that it tells of."""
        return self.gathered.all() if self.name == DIGEST else self.gathered.none()

    def is_stuck(self, at: datetime) -> bool:
        """As `stuck` asks the table."""
        since, is_under_way = at - PATIENCE, self.state in self.UNDER_WAY
        put_off = is_under_way and self.created_at < since and bool(self.attempts or self.error)
        return put_off or ((is_under_way or self.state == self.State.HELD) and self.send_after < since)

    @property
    def message_id(self) -> str:
        """The same on each retry, so that a doubled letter is seen as one."""
        return f"<{self.id}@ecare>"

    @property
    def carries_secret(self) -> bool:
        """True for the whole life of the letter, also once its secret was erased."""
        return SECRET_MARK in self.text


class LetterTextQuerySet(models.QuerySet["LetterText"]):
    def in_force(self, name: str):
        """The text that letters of this name are written from; None: their file."""
        last = self.filter(name=name).exclude(in_force_at=None).order_by("-number").first()
        return None if last is None or last.is_original else last


class LetterText(models.Model):
    """A version of what the letters of one name say, in the place of their file; none is ever changed once in force."""

    name = models.CharField("courrier", max_length=40)
    number = models.PositiveIntegerField("version")
    title = models.CharField("objet", max_length=400, blank=True)
    body = models.TextField("texte", blank=True)
    is_original = models.BooleanField("retour au texte d’origine", default=False)
    at = models.DateTimeField("écrit le", default=timezone.now)
    by = models.CharField("par", max_length=160)
    in_force_at = models.DateTimeField("en service le", null=True, blank=True)

    objects = LetterTextQuerySet.as_manager()

    class Meta:
        verbose_name = "texte de courrier"
        verbose_name_plural = "textes des courriers"
        ordering = ["name", "-number"]
        constraints = [models.UniqueConstraint(fields=["name", "number"], name="one_letter_text_per_version")]

    def __str__(self):
        return f"{self.name}, version {self.number}"
