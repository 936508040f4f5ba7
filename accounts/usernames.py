"""User names: what they look like, which are free, what to offer instead."""

import re
import secrets
from datetime import timedelta

from allauth.account.app_settings import EMAIL_CONFIRMATION_EXPIRE_DAYS
from django.utils import timezone

from accounts.models import User, UsernameHold
from establishments.models import normalised

# No @: a user name can never be mistaken for somebody else's e-mail address.
ALLOWED = re.compile(r"[\w.+-]{3,60}")


def is_free(username: str, *, email: str) -> bool:
    """Whether somebody with that e-mail may take the name.

    An account never activated holds its name as long as its link is good, but not against its own e-mail.
    """
    now = timezone.now()
    people = User.objects.filter(username__iexact=username)
    waiting = User.objects.awaiting_activation()
    stale = waiting.filter(date_joined__lt=now - timedelta(days=EMAIL_CONFIRMATION_EXPIRE_DAYS))
    people = people.exclude(pk__in=stale).exclude(pk__in=waiting.filter(email__iexact=email))
    holds = UsernameHold.objects.filter(username__iexact=username, until__gt=now).exclude(email__iexact=email)
    return not people.exists() and not holds.exists()


def suggestions(username: str, *, first_name: str, last_name: str, email: str, wanted: int = 3) -> list[str]:
    """Free names close to the one that is taken."""
    first, last = (normalised(name).replace(" ", "-") for name in (first_name, last_name))
    candidates = [f"{first}.{last}", f"{first[:1]}.{last}", f"{last}.{first}"] if first and last else []
    stem = username[:50].rstrip(".-+_0123456789") or username[:50]
    candidates += [f"{stem}{10 + secrets.randbelow(90)}" for _ in range(3)]
    candidates += [f"{stem}.{100 + secrets.randbelow(900)}" for _ in range(3)]
    free = []
    for candidate in candidates:
        if len(free) == wanted:
            break
        if candidate not in free and ALLOWED.fullmatch(candidate) and is_free(candidate, email=email):
            free.append(candidate)
    return free
