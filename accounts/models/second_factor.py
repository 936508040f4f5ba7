"""The authenticator application of an agent, and what replaces it once it is lost."""

import hashlib
import hmac
import os
from base64 import b32encode

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.crypto import get_random_string
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.models.people import User
from ecare.sealing import derived_key, seal, unseal

CODES_GIVEN = 10
# Neither vowels, which make words, nor look-alikes: 25 signs, 10 of them are 46 bits.
SIGNS = "BCDFGHJKMNPQRTVWXYZ346789"
LENGTH = 10


class Authenticator(TOTPDevice):
    """django-otp's device (6 digits, 30 s, one step of tolerance, no step twice), but for its key, which is sealed.

    The column `key` of the table that it extends stays empty. Its limits are kept by `accounts.second_factor`.
    """

    sealed_key = models.BinaryField(editable=False)

    class Meta:
        verbose_name = "application d’authentification"
        verbose_name_plural = "applications d’authentification"

    @staticmethod
    def new_key() -> bytes:
        return os.urandom(20)

    @classmethod
    def of(cls, user: User, key: bytes) -> "Authenticator":
        """Unsaved, for this person, with this key."""
        return cls(user=user, name="application", key="", sealed_key=seal(key, purpose="authenticator"))

    @property
    def bin_key(self) -> bytes:
        return unseal(bytes(self.sealed_key), purpose="authenticator")

    @property
    def typed_key(self) -> str:
        """The key as a person copies it by hand: groups of four."""
        key = b32encode(self.bin_key).decode()
        return " ".join(key[start : start + 4] for start in range(0, len(key), 4))

    def get_throttle_factor(self):
        return 0


class RecoveryCode(models.Model):
    """Stands once for the application; kept as a hash keyed by the server and bound to the person."""

    user = models.ForeignKey(User, models.CASCADE, related_name="recovery_codes", verbose_name="personne")
    token = models.CharField(max_length=64, help_text="HMAC-SHA-256 du code.")
    created_at = models.DateTimeField(default=timezone.now)
    used_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "code de secours"
        verbose_name_plural = "codes de secours"
        constraints = [models.UniqueConstraint(fields=["user", "token"], name="no_recovery_code_twice")]

    @staticmethod
    def new() -> str:
        """« BCDFG-HJKMN », to be written down."""
        code = get_random_string(LENGTH, SIGNS)
        return f"{code[:5]}-{code[5:]}"

    @staticmethod
    def digest(user: User, code: str) -> str:
        """Case, spaces and hyphens are forgiven."""
        key = derived_key(settings.SECRET_KEY.encode(), purpose="recovery code")
        plain = "".join(sign for sign in code.upper() if sign in SIGNS)
        return hmac.new(key, f"{user.pk}:{plain}".encode(), hashlib.sha256).hexdigest()
