"""The convention on its way: its text, and the copies that the establishment signed. The signed one that the ANS
recorded is `reviews.models.Convention`."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from applications.models import Application, Domain
from evidence.models import StoredFile


class ConventionTextQuerySet(models.QuerySet):
    def in_force(self, domain: Domain):
        """The latest version of the domain; None while it has none of its own."""
        return self.filter(domain=domain).order_by("-number").first()


class ConventionText(models.Model):
    """The articles of the conventions of a domain. A version, once published, is never changed."""

    domain = models.ForeignKey(Domain, models.PROTECT, related_name="convention_texts", verbose_name="domaine")
    number = models.PositiveSmallIntegerField("version", default=1, editable=False)
    text = models.TextField(
        "articles",
        help_text=(
            "Un titre d’article par ligne qui commence par « # », une liste par lignes qui commencent par « - ». "
            "Entre accolades, ce que le dossier remplit : {montant}, {plafond}…"
        ),
    )
    is_official = models.BooleanField(
        "texte officiel", default=False, help_text="Sinon, chaque page dit que c’est un modèle de démonstration."
    )
    published_at = models.DateTimeField("publication", default=timezone.now)
    published_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name="publié par")

    objects = ConventionTextQuerySet.as_manager()

    class Meta:
        verbose_name = "texte de convention"
        verbose_name_plural = "textes de convention"
        ordering = ["domain", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["domain", "number"], name="one_convention_text_per_version"),
        ]

    def __str__(self):
        return f"{self.domain} – convention, version {self.number}"


class SignedCopyQuerySet(models.QuerySet):
    def visible_to(self, user):
        return self.filter(application__in=Application.objects.visible_to(user))

    def waiting(self):
        return self.filter(state=SignedCopy.State.WAITING)


class SignedCopy(models.Model):
    """A copy of the convention signed by the establishment, uploaded by its référent, and what the ANS made of it."""

    class State(models.TextChoices):
        WAITING = "waiting", "À contresigner par l’ANS"
        REPLACED = "replaced", "Remplacé"
        REFUSED = "refused", "Refusé par l’ANS"
        COUNTERSIGNED = "countersigned", "Contresigné par l’ANS"

    application = models.ForeignKey(Application, models.PROTECT, related_name="signed_copies", verbose_name="dossier")
    file = models.OneToOneField(StoredFile, models.PROTECT, related_name="signed_copy", verbose_name="exemplaire")
    by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name="déposé par")
    at = models.DateTimeField("dépôt", default=timezone.now)
    state = models.CharField("état", max_length=13, choices=State, default=State.WAITING)
    decided_by = models.ForeignKey(
        User, models.PROTECT, related_name="+", null=True, blank=True, verbose_name="décidé par"
    )
    decided_at = models.DateTimeField("décision", null=True, blank=True)
    message = models.TextField("motif du refus", blank=True)

    objects = SignedCopyQuerySet.as_manager()

    class Meta:
        verbose_name = "exemplaire signé"
        verbose_name_plural = "exemplaires signés"
        ordering = ["-at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["application"], condition=Q(state="waiting"), name="one_signed_copy_waits"),
            models.CheckConstraint(
                condition=Q(state="waiting", decided_at=None) | ~Q(state="waiting") & Q(decided_at__isnull=False),
                name="decided_copy_has_a_date",
            ),
            models.CheckConstraint(
                condition=Q(state="refused") & ~Q(message="") | ~Q(state="refused") & Q(message=""),
                name="refused_copy_has_a_reason",
            ),
        ]

    def __str__(self):
        return f"{self.application} : {self.file}"

    @property
    def is_waiting(self) -> bool:
        return self.state == self.State.WAITING
