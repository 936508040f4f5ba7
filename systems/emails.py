"""The letter to whoever answers for a system; it never holds a token."""

from django.urls import reverse

from ecare.letters.emails import compose
from ecare.letters.models import Letter
from systems.models import Token
from systems.rules import Expiry


def token_expiring(token: Token, due: Expiry) -> Letter:
    """Written once per threshold; asked about again when it leaves (`systems.reminders`)."""
    context = {"token": token, "path": reverse("systems:documentation")}
    letter = compose("token_expiring", to=token.system.contact, subject=token.system.subject, context=context)
    letter.premise = {"token": token.pk, "reminder": due.key}
    letter.once = once(token, due)
    return letter


def once(token: Token, due: Expiry) -> str:
    return f"token:{token.pk}:{due.key}"
