"""The law of a token: what its value looks like, whether it opens now, when its system is reminded of its end."""

import hashlib
import re
import secrets
import string
import zlib
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from applications.models import Domain
from ecare.clock import paris_day
from establishments.models import Region
from systems.models import Scope, Token

# « ecare_ », then what nobody guesses, then a checksum: scanners of source code recognise it, and a mistyped one is
# refused without a look at the database.
MARK = "ecare_"
_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM, _CHECK = 40, 6
_SHAPE = re.compile(rf"{MARK}[0-9A-Za-z]{{{_RANDOM + _CHECK}}}")
SHOWN = len(MARK) + 6
"""Characters by which people recognise a token: 34 others stay unknown."""
REMINDERS = (7, 30)
"""Days before the last one, the nearest first."""
USED_PRECISION = timedelta(minutes=5)
"""Spares a write of the token at each request."""


def new_value() -> str:
    random = "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM))
    return f"{MARK}{random}{_checksum(random)}"


def is_well_formed(value: str) -> bool:
    return _SHAPE.fullmatch(value) is not None and value.endswith(_checksum(value[len(MARK) : -_CHECK]))


def _checksum(random: str) -> str:
    number, found = zlib.crc32(random.encode()), ""
    for _ in range(_CHECK):
        number, rank = divmod(number, len(_ALPHABET))
        found = _ALPHABET[rank] + found
    return found


def digest_of(value: str) -> str:
    """No salt and no stretching: nobody tries 238 random bits."""
    return hashlib.sha256(value.encode()).hexdigest()


def why_not_read(token: Token, at: datetime) -> str:
    """Why this token opens nothing now, as a sentence for whoever holds it; empty when it opens."""
    if token.revoked_at is not None:
        return "Ce jeton a été révoqué. Demandez-en un nouveau à l’équipe support d’eCaRE."
    if token.is_expired(at):
        return "Ce jeton a expiré. Demandez-en un nouveau à l’équipe support d’eCaRE."
    if not token.system.is_active:
        return "Ce système n’a plus accès à eCaRE. Écrivez à l’équipe support d’eCaRE."
    return ""


@dataclass(frozen=True)
class Reach:
    """What a machine would read, as an administrator asks for it."""

    scopes: list[str] = field(default_factory=list)
    all_domains: bool = False
    domains: list[Domain] = field(default_factory=list)
    all_regions: bool = False
    regions: list[Region] = field(default_factory=list)

    @property
    def faults(self) -> dict[str, str]:
        """What is missing or contradicts itself, by field."""
        found = {}
        if not set(self.scopes) & {Scope.DOSSIERS, Scope.STATISTICS}:
            found["scopes"] = SCOPELESS
        if self.all_domains and self.domains:
            found["domains"] = "Choisissez « tous les domaines » ou des domaines, pas les deux."
        elif not self.all_domains and not self.domains:
            found["domains"] = "Choisissez au moins un domaine, ou cochez « tous les domaines »."
        if self.all_regions and self.regions:
            found["regions"] = "Choisissez « toutes les régions » ou des régions, pas les deux."
        elif not self.all_regions and not self.regions:
            found["regions"] = "Choisissez au moins une région, ou cochez « toutes les régions »."
        return found


SCOPELESS = "Choisissez ce que le jeton lit : les dossiers, les statistiques, ou les deux."


def why_not_until(expires_on: date, at: datetime) -> str:
    """Why a token issued now may not last until that day, as a sentence; empty when it may."""
    days = (expires_on - paris_day(at)).days
    if days < 1:
        return "Choisissez un jour à venir."
    if days > Token.LONGEST_LIFE_DAYS:
        return "Un jeton vaut un an au plus : choisissez un jour plus proche."
    return ""


def reminder_due(token: Token, at: datetime) -> str:
    """Its key. Nothing for a token that opens nothing; the one nearest to the end, so that a late worker writes one
    letter."""
    if why_not_read(token, at):
        return ""
    left = token.days_left(paris_day(at))
    within = next((days for days in REMINDERS if left <= days), None)
    # A token issued for a few days was issued knowing it.
    lifetime = token.days_left(paris_day(token.issued_at))
    if within is None or lifetime <= within:
        return ""
    return f"expiry:{within}"
