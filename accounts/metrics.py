"""Figures of those who are here."""

from collections.abc import Iterator

from django.utils import timezone

from accounts.models import OpenSession, User
from ecare.metrics import Measure


def measures() -> Iterator[Measure]:
    sessions = OpenSession.objects.filter(expire_date__gt=timezone.now()).exclude(user=None).count()
    yield Measure("ecare_sessions", "Sessions of people that have not expired.", sessions)
    waiting = User.objects.filter(last_login=None, is_active=True).count()
    yield Measure("ecare_accounts_never_used", "Accounts in which nobody has signed in yet.", waiting)
