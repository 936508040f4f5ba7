"""The letter of an envelope; those of a dossier are written by `applications.emails`."""

from django.urls import reverse

from accounts.models import User
from ecare.letters.emails import compose
from ecare.letters.models import Letter
from funding.rules import Consumption


def envelope_near(consumption: Consumption, threshold: int, agent: User) -> Letter:
    """To an agent of the ANS, once per envelope and threshold: another amount is another envelope."""
    domain = consumption.domain
    context = {"domain": domain, "consumption": consumption, "threshold": threshold, "person": agent}
    context["path"] = reverse("funding:envelopes")
    letter = compose("envelope_near", to=agent.email, subject=f"domain:{domain.slug}", context=context)
    letter.once = once(consumption, threshold, agent)
    return letter


def once(consumption: Consumption, threshold: int, agent: User) -> str:
    domain = consumption.domain
    return f"envelope:{domain.slug}:{domain.envelope}:{threshold}:{agent.pk}"
