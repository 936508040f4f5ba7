"""What is told outside, when it is tried again, and when it is no use any more."""

import random
from datetime import datetime, timedelta

from django.conf import settings

from applications.models import Application
from applications.states import State
from ecare.letters.models import Letter
from webhooks.models import Subscription

FIRST_PAUSE, LONGEST_PAUSE, GROWTH = timedelta(seconds=30), timedelta(hours=12), 3
JITTER = 0.1  # each pause is drawn within a tenth, so that a burst that failed together does not come back together
MOST_ATTEMPTS = 14  # the last one about three and a half days after the first
FIRST_REST, LONGEST_REST = timedelta(seconds=10), timedelta(minutes=5)
FEWEST_FAILURES = 5
OVERLAP = timedelta(days=7)
"""How long the former secret signs beside the new one."""


def is_known_outside(application: Application) -> bool:
    """Nothing of a dossier leaves before its first sending (ADR 7)."""
    return application.candidature_submitted_at is not None


def told_source(source: str) -> str:
    """The state that a dossier left, as receivers read it: to them it did not exist before it was first sent."""
    return "" if source == State.DRAFT else source


def pause_after(attempts: int) -> timedelta:
    """Before the next attempt of one delivery: 30 s, 90 s, 4 min 30… and from the eighth on 12 h."""
    pause = min(FIRST_PAUSE * GROWTH ** (attempts - 1), LONGEST_PAUSE)
    return pause * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 (no secret)


def rest_after(failures: int) -> timedelta:
    """Before anything else is sent to an address that failed so often in a row."""
    return min(FIRST_REST * 2 ** min(failures - 1, 10), LONGEST_REST)


def is_given_up(subscription: Subscription, at: datetime) -> bool:
    """Nothing but failures for days."""
    limit = at - timedelta(days=settings.WEBHOOK_SUSPEND_AFTER_DAYS)
    since = subscription.failing_since
    return since is not None and since <= limit and subscription.failures >= FEWEST_FAILURES


def is_still_suspended(letter: Letter, at: datetime) -> bool:
    """Whether a letter that says so is still worth sending."""
    _, _, number = letter.subject.partition(":")
    return Subscription.objects.filter(pk=number, state=Subscription.State.SUSPENDED).exists()
