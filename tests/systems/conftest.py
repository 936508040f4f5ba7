"""A system, the tokens that an administrator issues to it, and how it reads."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from applications.models import Application
from applications.states import State
from ecare.clock import paris_day
from systems import actions
from systems.models import System
from systems.rules import Reach
from tests.factories import ApplicationFactory, DomainFactory, FormFactory

ALL = {"all_domains": True, "all_regions": True}
EVERYTHING = ["dossiers", "amounts", "statistics"]


@pytest.fixture
def system(administrator):
    found = System(name="Entrepôt", contact="responsable@exemple.fr", purpose="Suivre le programme")
    actions.add_system(found, by=administrator)
    return found


@pytest.fixture
def issue(system, administrator):
    """`issue(days=30, scopes=…)`: the token and its value."""

    def issued(*, days=30, at=None, label="", scopes=EVERYTHING, **reach):
        at = at or timezone.now()
        limits = {"scopes": list(scopes)} | (reach or ALL)
        label = label or f"Outil {system.tokens.count()}"
        until = paris_day(at) + timedelta(days=days)
        return actions.issue_token(system, Reach(**limits), by=administrator, at=at, label=label, expires_on=until)

    return issued


@pytest.fixture
def read():
    """`read(value, "dossiers", limit=3)`: what the API answers to that token."""

    def answer(value, path, **parameters):
        headers = {"authorization": f"Bearer {value}"} if value else {}
        return Client().get(f"/api/v1/{path}", parameters, headers=headers)

    return answer


def dossiers(count: int, *, state=State.SUBMITTED, domain=None, ago=timedelta(days=1), **more) -> list[Application]:
    """So many, sent, whose changes are a second apart; two of them at the same instant."""
    domain = domain or DomainFactory()
    form = FormFactory(domain=domain)
    first = timezone.now() - ago
    return [
        ApplicationFactory(
            domain=domain,
            candidature_form=form,
            state=state,
            moved_at=first + timedelta(seconds=rank - (rank == 1)),
            **more,
        )
        for rank in range(count)
    ]
