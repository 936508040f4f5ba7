"""The letter to whoever answers for a system; it never holds a token."""

from django.urls import reverse

from ecare.letters.emails import compose
from ecare.letters.models import Letter
from systems.models import Token


def token_expiring(token: Token, reminder: str) -> Letter:
    """Written once per threshold; asked about again when it leaves (`systems.reminders`)."""
    context = {"token": token, "path": reverse("systems:documentation")}
    letter = compose("token_expiring", to=token.system.contact, subject=token.system.subject, context=context)
    letter.premise = {"token": token.pk, "reminder": reminder}
    letter.once = once(token, reminder)
    return letter


def once(token: Token, reminder: str) -> str:
    return f"token:{token.pk}:{reminder}"
