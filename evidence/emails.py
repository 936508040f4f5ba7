"""The letters of the vault: one function each; the action saves what it returns. None carries a credential."""

from django.urls import reverse

from accounts.models import User
from applications.models import Domain, Question
from ecare.letters.emails import compose
from ecare.letters.models import Letter
from evidence.models import Container


def container_reissued(container: Container, question: Question) -> Letter:
    application = container.application
    context = {
        "application": application,
        "person": application.referent,
        "objective": container.objective,
        "path": reverse("evidence:container", args=[application.reference, question.key]),
    }
    return compose("container_reissued", to=application.referent.email, subject=application.subject, context=context)


def pool_low(domain: Domain, objective: str, *, left: int, to: User, subject: str) -> Letter:
    """To an agent of the ANS; `left`: how many containers remain."""
    context = {"domain": domain, "objective": objective, "left": left, "person": to}
    context["path"] = reverse("evidence:containers")
    return compose("pool_low", to=to.email, subject=subject, context=context)
