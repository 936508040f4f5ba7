"""The letters between agents about dossiers."""

from django.urls import reverse

from accounts.models import User
from applications.models import Application
from ecare.letters.emails import compose
from ecare.letters.models import Letter
from reviews.models import Opinion


def opinion_asked(opinion: Opinion) -> Letter:
    """Untrue once the opinion is given."""
    letter = _letter("opinion_asked", opinion, to=opinion.of)
    letter.premise = about_opinion(opinion)
    return letter


def opinion_given(opinion: Opinion) -> Letter:
    return _letter("opinion_given", opinion, to=opinion.asked_by)


def dossiers_assigned(dossiers: list[Application], agent: User, *, by: User) -> Letter:
    """One for all that were given at once; untrue once the agent follows none of them any more."""
    path = f"{reverse('reviews:queue')}?suivi=moi&etat=tous"
    context = {"rows": dossiers, "person": agent, "giver": by, "path": path}
    letter = compose("dossiers_assigned", to=agent.email, subject=f"user:{agent.pk}", context=context)
    letter.premise = {"dossiers": [dossier.pk for dossier in dossiers], "agent": agent.pk}
    return letter


def about_opinion(opinion: Opinion) -> dict[str, int]:
    return {"opinion": opinion.pk}


def _letter(name: str, opinion: Opinion, *, to) -> Letter:
    application = opinion.application
    path = f"{reverse('reviews:dossier', args=[application.reference])}#avis"
    context = {"application": application, "opinion": opinion, "person": to, "path": path}
    return compose(name, to=to.email, subject=application.subject, context=context)
