"""A person, how they enter, and the terms they accepted."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import import_module

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.auth.models import AbstractUser, UserManager
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.base_session import AbstractBaseSession
from django.core import signing
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.crypto import constant_time_compare, get_random_string, salted_hmac
from django.utils.functional import cached_property
from django_otp.models import CooldownMixin, SideChannelDevice
from django_otp.util import random_number_token
from phonenumber_field.modelfields import PhoneNumberField

from ecare.sealing import derived_key
from establishments.models import Establishment, Region

LETTERS = "ABCDEFGHJKLMNPRTWXY"  # capitals without look-alikes


class Civility(models.TextChoices):
    MADAM = "madame", "Madame"
    SIR = "monsieur", "Monsieur"


class PeopleQuerySet(models.QuerySet):
    def activated(self):
        """Those who proved that their mailbox is theirs."""
        return self.filter(emailaddress__verified=True, emailaddress__primary=True)

    def awaiting_activation(self):
        """Those who registered and never used their link; a newer registration replaces them."""
        return self.filter(last_login=None, role=User.Role.REFERENT).exclude(emailaddress__verified=True)

    def administrators(self):
        """Those who may sign in."""
        return self.filter(role=User.Role.ADMINISTRATOR, is_active=True)

    def matching(self, words: str):
        """Each word is found in the person's names or e-mail, or in their establishment (accents and case forgiven)."""
        found = self
        for word in words.split():
            own = Q(username__icontains=word) | Q(email__icontains=word)
            names = Q(first_name__icontains=word) | Q(last_name__icontains=word)
            found = found.filter(own | names | Q(establishment__in=Establishment.objects.matching(word)))
        return found

    def colleagues_of(self, user):
        """The other people of the same establishment who can sign in, by name."""
        return (
            self.activated()
            .filter(establishment=user.establishment_id, establishment__isnull=False, is_active=True)
            .exclude(pk=user.pk)
            .order_by("last_name", "first_name", "pk")
        )


class PeopleManager(UserManager.from_queryset(PeopleQuerySet)):
    pass


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
    phone = PhoneNumberField("n° de téléphone", blank=True)
    establishment = models.ForeignKey(
        Establishment,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="people",
        verbose_name="établissement",
    )
    regions = models.ManyToManyField(Region, blank=True, related_name="agents", verbose_name="régions (ARS)")
    wants_daily_letter = models.BooleanField(
        "un seul courrier par jour",
        default=False,
        help_text="Les courriers qui ont valeur légale ou qui protègent le compte partent toujours aussitôt.",
    )

    wants_weekly_letter = models.BooleanField(
        "un point chaque lundi",
        default=True,
        help_text="Agents : les dossiers qui attendent sur leur bureau, le lundi à 8 heures.",
    )
    second_factor_since = models.DateTimeField("double authentification depuis", null=True, blank=True, editable=False)

    objects = PeopleManager()

    class Meta(AbstractUser.Meta):
        verbose_name = "personne"
        verbose_name_plural = "personnes"
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

    @property
    def is_reviewer(self) -> bool:
        """An agent of an ARS or of the ANS."""
        return self.is_ars or self.is_ans


class SignInCode(CooldownMixin, SideChannelDevice):
    """The mailed code of one sign-in attempt: 8 digits, 10 minutes, 5 tries, kept only as a keyed hash.

    One row per attempt: a code asked elsewhere neither opens nor disturbs this one. `confirmed` once all that this
    person owes was given, the code of their application included: only then does it stand for a session.
    """

    token = models.CharField(max_length=64, blank=True, null=True, help_text="HMAC-SHA-256 du code.")
    reference = models.CharField("référence du courrier", max_length=4)
    sent_at = models.DateTimeField(null=True)
    tries_left = models.PositiveSmallIntegerField(default=0)
    failures = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    given_at = models.DateTimeField(null=True, help_text="Le code du courrier a été donné.")
    second_factor_at = models.DateTimeField(null=True, help_text="Le code de l’application, ou de secours, aussi.")
    second_failures = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name = "code de connexion"
        verbose_name_plural = "codes de connexion"
        indexes = [models.Index(fields=["user", "-created_at"], name="sign_in_codes_of_a_person")]

    @property
    def letters_subject(self) -> str:
        """How the letters that carried a code of this attempt name it."""
        return f"sign-in:{self.pk}"

    def get_cooldown_duration(self):
        return settings.SIGN_IN_CODE_COOLDOWN.total_seconds()

    @property
    def may_renew_at(self):
        """When another code may be asked."""
        _, reason = self.generate_is_allowed()
        return reason["next_generation_at"] if reason else None

    def renew(self) -> str:
        """A fresh code, which makes the former one useless; returned once, never stored."""
        code = random_number_token(settings.SIGN_IN_CODE_DIGITS)
        now = timezone.now()
        self.token, self.reference = self.digest(code), get_random_string(4, LETTERS)
        self.sent_at, self.valid_until = now, now + settings.SIGN_IN_CODE_LIFETIME
        self.tries_left = settings.SIGN_IN_CODE_TRIES
        self.cooldown_set()
        return code

    def digest(self, code: str) -> str:
        """Bound to this attempt by its key in the database, and to this server by its own key."""
        key = derived_key(settings.SECRET_KEY.encode(), purpose="sign-in code")
        return hmac.new(key, f"{self.pk}:{code}".encode(), hashlib.sha256).hexdigest()

    def verify_token(self, token):
        """Whether this is the code, which is then spent. The limits are kept by `actions.check_code`."""
        if not self.token or timezone.now() >= self.valid_until:
            return False
        if not hmac.compare_digest(self.token, self.digest(token)):
            return False
        self.token, self.given_at = None, timezone.now()
        self.valid_until, self.confirmed = self.given_at, self.user.second_factor_since is None
        self.save()
        return True


OPENED_AT, SEEN_AT, BROWSER = "session_opened_at", "session_seen_at", "session_browser"
"""What a session keeps of itself: instants as timestamps, and the family of its browser; never an address."""


class OpenSession(AbstractBaseSession):
    """A session, and whose it is; nobody's until somebody has signed in.

    Its key is a digest of what the cookie holds: whoever reads the table enters nowhere with it.
    """

    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="sessions", db_constraint=False)

    class Meta(AbstractBaseSession.Meta):
        verbose_name = "session"

    @classmethod
    def get_session_store_class(cls):
        return import_module(settings.SESSION_ENGINE).SessionStore

    @classmethod
    def others_of(cls, user, current: str | None) -> models.QuerySet["OpenSession"]:
        """Every session of this person but the `current` one (what its cookie holds)."""
        return cls.objects.filter(user=user).exclude(session_key=cls.digest(current or ""))

    @staticmethod
    def digest(key: str) -> str:
        """SHA-256 in the 40 signs of Django's column: 160 bits, of a key that is as hard to guess."""
        return hashlib.sha256(key.encode()).hexdigest()[:40]

    @classmethod
    def of(cls, user) -> list["OpenSession"]:
        """Those with which this person may still do something, the latest used first."""
        rows = cls.objects.filter(user=user, expire_date__gt=timezone.now())
        return sorted((row for row in rows if row._is_alive(user)), key=lambda row: row.seen_at, reverse=True)

    def is_opened_by(self, key: str | None) -> bool:
        """Whether this is what a cookie holds."""
        return constant_time_compare(self.session_key, self.digest(key or ""))

    def _is_alive(self, user) -> bool:
        """A changed password, a long rest or its age ends a session before its row goes."""
        has_password = constant_time_compare(self.facts.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash())
        return has_password and not self.is_over(self.facts, timezone.now())

    @staticmethod
    def is_over(facts: Mapping | SessionBase, at: datetime) -> bool:
        """Whether a session with these facts has rested too long or grown too old."""
        rest, age = (at.timestamp() - facts.get(name, 0) for name in (SEEN_AT, OPENED_AT))
        return rest > settings.SESSION_IDLE_LIMIT.total_seconds() or age > settings.SESSION_AGE_LIMIT.total_seconds()

    @cached_property
    def facts(self) -> dict:
        return self.get_decoded()

    @property
    def public_name(self) -> str:
        """What pages call it, and no more of its row."""
        return salted_hmac("accounts.OpenSession", self.session_key, algorithm="sha256").hexdigest()[:24]

    @property
    def opened_at(self):
        return self._instant(OPENED_AT)

    @property
    def seen_at(self):
        return self._instant(SEEN_AT)

    @property
    def browser(self) -> str:
        return self.facts.get(BROWSER) or "Navigateur inconnu"

    def _instant(self, name: str):
        return datetime.fromtimestamp(self.facts.get(name, 0), UTC)


class EmailChange(models.Model):
    """An e-mail that a person wants instead of theirs: theirs once both mailboxes have said yes.

    Taken or not, it looks the same: only the owner of the new mailbox can tell.
    """

    class Side(models.TextChoices):
        OLD = "old", "Adresse actuelle"
        NEW = "new", "Nouvelle adresse"

    user = models.OneToOneField(User, models.CASCADE, related_name="email_change")
    email = models.EmailField("nouvelle adresse e-mail")
    until = models.DateTimeField("caduc après")
    old_confirmed_at = models.DateTimeField(null=True)
    new_confirmed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "changement d’adresse"
        verbose_name_plural = "changements d’adresse"

    def key(self, side: str) -> str:
        """What the link of one mailbox ends with."""
        return signing.dumps([self.pk, side], salt="accounts.EmailChange")

    @classmethod
    def opened_by(cls, key: str) -> tuple["EmailChange | None", str]:
        """The change that a link leads to, and which mailbox it was sent to; None once it is over."""
        try:
            pk, side = signing.loads(key, salt="accounts.EmailChange")
        except signing.BadSignature:
            return None, ""
        return cls.objects.select_related("user").filter(pk=pk, until__gt=timezone.now()).first(), side


class UsernameHold(models.Model):
    """A user name that somebody typed with an e-mail already in use.

    It is held as long as an account that awaits its activation would hold it: otherwise, whether the name is still
    free would tell whether the e-mail has an account.
    """

    username = models.CharField(max_length=150)
    email = models.EmailField()
    until = models.DateTimeField()

    class Meta:
        verbose_name = "nom d’utilisateur retenu"
        verbose_name_plural = "noms d’utilisateur retenus"
        constraints = [models.UniqueConstraint(Lower("username"), name="one_hold_per_username")]


class TermsQuerySet(models.QuerySet):
    def published(self):
        """Every version that is or was in force, the latest first."""
        return self.filter(published_at__lte=timezone.now()).order_by("-published_at", "-pk")

    def in_force(self, *, for_user=None):
        """The version in force, or None; for a person also `is_accepted` and `was_ever_accepted`, in one query."""
        found = self.published()
        if for_user is not None:
            accepted = TermsAcceptance.objects.filter(user=for_user)
            found = found.annotate(
                is_accepted=Exists(accepted.filter(terms=OuterRef("pk"))), was_ever_accepted=Exists(accepted)
            )
        return found.first()


class Terms(models.Model):
    """A version of the conditions générales d’utilisation (CGU); the latest published one is in force."""

    version = models.CharField("version", max_length=20, unique=True)
    text = models.TextField("texte", help_text="Paragraphes séparés par une ligne vide ; « # » ouvre un titre.")
    published_at = models.DateTimeField("publication", null=True, blank=True)

    objects = TermsQuerySet.as_manager()

    class Meta:
        verbose_name = "version des CGU"
        verbose_name_plural = "versions des CGU"
        ordering = ["-published_at"]

    def __str__(self):
        return f"CGU {self.version}"

    def blocks(self):
        """The text in reading order: pairs (is it a title, words)."""
        for block in self.text.split("\n\n"):
            words = " ".join(block.split())
            if words:
                yield words.startswith("# "), words.removeprefix("# ")


class TermsAcceptance(models.Model):
    user = models.ForeignKey(User, models.CASCADE, related_name="terms_accepted", verbose_name="personne")
    terms = models.ForeignKey(Terms, models.PROTECT, related_name="acceptances", verbose_name="CGU")
    at = models.DateTimeField("date", default=timezone.now)

    class Meta:
        verbose_name = "acceptation des CGU"
        verbose_name_plural = "acceptations des CGU"
        constraints = [models.UniqueConstraint(fields=["user", "terms"], name="one_acceptance_per_version")]
