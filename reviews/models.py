"""What the reviewers add to a dossier, and what they keep for themselves."""

from datetime import datetime

from django.db import models
from django.utils import timezone

from accounts.models import User
from applications.models import Application
from applications.states import Desk
from evidence.models import StoredFile


class Convention(models.Model):
    """The funding convention between the ANS and the establishment, once signed."""

    application = models.OneToOneField(Application, models.PROTECT, related_name="convention", verbose_name="dossier")
    establishment_signed_on = models.DateField(
        "signée par l’établissement le", null=True, blank=True, help_text="Vide : enregistrée sans cette date."
    )
    signed_on = models.DateField("signée le", help_text="Le jour de la dernière signature, celle de l’ANS.")
    file = models.OneToOneField(StoredFile, models.PROTECT, related_name="convention", verbose_name="exemplaire signé")
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


class ClaimQuerySet(models.QuerySet):
    def live(self, at: datetime):
        return self.filter(until__gt=at)


class Claim(models.Model):
    """« X examine ce dossier »: for some minutes nobody else decides, unless they take the claim over."""

    application = models.OneToOneField(Application, models.CASCADE, related_name="claim", verbose_name="dossier")
    agent = models.ForeignKey(User, models.CASCADE, related_name="claims", verbose_name="agent")
    since = models.DateTimeField("depuis")
    until = models.DateTimeField("jusqu’à")

    objects = ClaimQuerySet.as_manager()

    class Meta:
        verbose_name = "examen en cours"
        verbose_name_plural = "examens en cours"
        constraints = [
            models.CheckConstraint(condition=models.Q(until__gt=models.F("since")), name="a_claim_ends_after_it_began")
        ]

    def is_live(self, at: datetime) -> bool:
        return self.until > at


class Phrase(models.Model):
    """A sentence that an agent writes often, ready to be put into a message."""

    owner = models.ForeignKey(User, models.CASCADE, related_name="phrases", verbose_name="agent")
    title = models.CharField("titre", max_length=60)
    text = models.TextField("texte")

    class Meta:
        verbose_name = "phrase"
        ordering = ["title", "pk"]
        constraints = [models.UniqueConstraint(fields=["owner", "title"], name="one_phrase_per_title")]

    def __str__(self):
        return self.title


class FileVerdict(models.Model):
    """What a desk thinks of one file that was sent: accepted, or refused with a remark."""

    class Decision(models.TextChoices):
        ACCEPTED = "accepted", "Acceptée"
        REFUSED = "refused", "Refusée"

    application = models.ForeignKey(Application, models.CASCADE, related_name="verdicts", verbose_name="dossier")
    file = models.ForeignKey(StoredFile, models.CASCADE, related_name="verdicts", verbose_name="fichier")
    desk = models.CharField("bureau", max_length=3, choices=Desk)
    decision = models.CharField("avis", max_length=8, choices=Decision)
    remark = models.TextField("remarque", blank=True)
    by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name="par")
    at = models.DateTimeField("date", default=timezone.now)

    class Meta:
        verbose_name = "examen d’une pièce"
        verbose_name_plural = "examens des pièces"
        constraints = [
            models.UniqueConstraint(fields=["file", "desk"], name="one_verdict_per_desk"),
            models.CheckConstraint(
                condition=~models.Q(decision="refused") | ~models.Q(remark=""), name="a_refusal_says_why"
            ),
        ]


class NoteQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Notes of a dossier that this agent sees: those of their desk, and those meant for both."""
        desk = Desk.of(user)
        found = self.filter(application__in=Application.objects.visible_to(user))
        return found.filter(models.Q(desk=desk) | models.Q(is_shared=True))


class Note(models.Model):
    """What agents tell each other about a dossier; never shown to the establishment."""

    application = models.ForeignKey(Application, models.CASCADE, related_name="notes", verbose_name="dossier")
    author = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name="auteur")
    desk = models.CharField("bureau", max_length=3, choices=Desk)
    is_shared = models.BooleanField("lue aussi par l’autre service", default=False)
    text = models.TextField("note")
    at = models.DateTimeField("date", default=timezone.now)

    objects = NoteQuerySet.as_manager()

    class Meta:
        verbose_name = "note"
        ordering = ["-at", "-pk"]


class OpinionQuerySet(models.QuerySet):
    def open(self):
        return self.filter(given_at=None)


class Opinion(models.Model):
    """What a colleague thinks of a dossier: asked, then given; never shown to the establishment."""

    class Advice(models.TextChoices):
        FOR = "for", "Favorable"
        RESERVED = "reserved", "Réservé"
        AGAINST = "against", "Défavorable"

    application = models.ForeignKey(Application, models.CASCADE, related_name="opinions", verbose_name="dossier")
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name="demandé par")
    of = models.ForeignKey(User, models.PROTECT, related_name="opinions", verbose_name="demandé à")
    question = models.TextField("question")
    asked_at = models.DateTimeField("demandé le", default=timezone.now)
    advice = models.CharField("avis", max_length=8, choices=Advice, blank=True)
    answer = models.TextField("réponse", blank=True)
    given_at = models.DateTimeField("donné le", null=True, blank=True)

    objects = OpinionQuerySet.as_manager()

    class Meta:
        verbose_name = "avis"
        verbose_name_plural = "avis"
        ordering = ["-asked_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["application", "of"], condition=models.Q(given_at=None), name="one_open_opinion_per_colleague"
            ),
            models.CheckConstraint(
                condition=models.Q(given_at=None, advice="")
                | (models.Q(given_at__isnull=False) & ~models.Q(advice="")),
                name="given_means_an_advice",
            ),
        ]
        indexes = [models.Index(fields=["of"], name="opinions_awaited", condition=models.Q(given_at=None))]
