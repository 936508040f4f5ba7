"""A person, how they enter, and the terms they accepted."""

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.functional import cached_property
from django_otp.models import CooldownMixin, SideChannelDevice
from phonenumber_field.modelfields import PhoneNumberField

from establishments.models import Establishment, Region


class Civility(models.TextChoices):
    MADAM = "madame", "Madame"
    SIR = "monsieur", "Monsieur"


class User(AbstractUser):
    """A référent, an agent of an ARS or of the ANS, or an administrator (staff, never superuser)."""

    class Role(models.TextChoices):
        REFERENT = "referent", "Référent"
        ARS = "ars", "Vérificateur ARS"
        ANS = "ans", "Vérificateur ANS"
        ADMINISTRATOR = "administrator", "Administrateur"

    email = models.EmailField("adresse e-mail")
    role = models.CharField("rôle", max_length=13, choices=Role, default=Role.REFERENT)
    civility = models.CharField("civilité", max_length=8, choices=Civility)
    phone = PhoneNumberField("n° de téléphone", blank=True)
    establishment = models.ForeignKey(
        Establishment,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="people",
        verbose_name="établissement",
    )
    regions = models.ManyToManyField(Region, blank=True, related_name="agents", verbose_name="régions (ARS)")

    objects = UserManager()

    class Meta(AbstractUser.Meta):
        verbose_name = "personne"
        constraints = [
            models.UniqueConstraint(Lower("email"), name="one_person_per_email"),
            models.UniqueConstraint(Lower("username"), name="one_person_per_username"),
            models.CheckConstraint(
                condition=Q(role="referent", establishment__isnull=False)
                | (~Q(role="referent") & Q(establishment__isnull=True)),
                name="only_a_referent_has_an_establishment",
            ),
            models.CheckConstraint(
                condition=Q(is_staff=False) | Q(role="administrator"), name="only_an_administrator_is_staff"
            ),
        ]

    def __str__(self):
        return self.get_full_name() or self.username

    @property
    def actor(self) -> tuple[str, str]:
        """How the journal names this person: reference and label."""
        return f"user:{self.pk}", f"{self} ({self.get_role_display()})"

    @cached_property
    def region_codes(self) -> frozenset[str]:
        """Regions of an ARS agent, read once per request."""
        return frozenset(self.regions.values_list("pk", flat=True))

    @property
    def is_referent(self):
        return self.role == self.Role.REFERENT

    @property
    def is_ars(self):
        return self.role == self.Role.ARS

    @property
    def is_ans(self):
        return self.role == self.Role.ANS


class SignInCode(CooldownMixin, SideChannelDevice):
    """The mailed code of one sign-in attempt: 8 digits, 10 minutes, 5 tries, kept only as a keyed hash.

    One row per attempt: a code asked elsewhere neither opens nor disturbs this one.
    """

    token = models.CharField(max_length=64, blank=True, null=True, help_text="HMAC-SHA-256 du code.")
    reference = models.CharField("référence du courrier", max_length=4)
    sent_at = models.DateTimeField(null=True)
    tries_left = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "code de connexion"
        verbose_name_plural = "codes de connexion"
        indexes = [models.Index(fields=["user", "-created_at"], name="sign_in_codes_of_a_person")]


class TermsQuerySet(models.QuerySet):
    def in_force(self, *, for_user=None):
        """The version in force, or None; for a person also `is_accepted` and `was_ever_accepted`, in one query."""
        found = self.filter(published_at__lte=timezone.now())
        if for_user is not None:
            accepted = TermsAcceptance.objects.filter(user=for_user)
            found = found.annotate(
                is_accepted=Exists(accepted.filter(terms=OuterRef("pk"))), was_ever_accepted=Exists(accepted)
            )
        return found.order_by("-published_at", "-pk").first()


class Terms(models.Model):
    """A version of the conditions générales d’utilisation (CGU); the latest published one is in force."""

    version = models.CharField("version", max_length=20, unique=True)
    text = models.TextField("texte", help_text="Paragraphes séparés par une ligne vide ; « # » ouvre un titre.")
    published_at = models.DateTimeField("publication", null=True, blank=True)

    objects = TermsQuerySet.as_manager()

    class Meta:
        verbose_name = "version des CGU"
        verbose_name_plural = "versions des CGU"
        ordering = ["-published_at"]

    def __str__(self):
        return f"CGU {self.version}"


class TermsAcceptance(models.Model):
    user = models.ForeignKey(User, models.CASCADE, related_name="terms_accepted", verbose_name="personne")
    terms = models.ForeignKey(Terms, models.PROTECT, related_name="acceptances", verbose_name="CGU")
    at = models.DateTimeField("date", default=timezone.now)

    class Meta:
        verbose_name = "acceptation des CGU"
        verbose_name_plural = "acceptations des CGU"
        constraints = [models.UniqueConstraint(fields=["user", "terms"], name="one_acceptance_per_version")]
