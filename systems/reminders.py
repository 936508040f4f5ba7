"""Reminders to whoever answers for a system whose token ends, as `applications.reminders` writes those of dossiers:
each once (`Letter.once`), and asked about again when it leaves."""

import logging
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from applications.reminders import FROM
from ecare.clock import PARIS, paris_day
from ecare.letters.models import Letter
from systems import emails, rules
from systems.models import Token

log = logging.getLogger(__name__)


def remind(at: datetime) -> int:
    """Write what the day calls for and nobody wrote yet. Returns how many."""
    if at.astimezone(PARIS).time() < FROM:
        return 0
    today = paris_day(at)
    ending = Token.objects.filter(
        revoked_at=None, expires_on__gte=today, expires_on__lte=today + timedelta(days=max(rules.REMINDERS))
    )
    due = {
        emails.once(token, one): token
        for token in ending.select_related("system").order_by("pk")
        if (one := rules.reminder_due(token, at))
    }
    written = set(Letter.objects.filter(once__in=due).values_list("once", flat=True))
    return sum(_write(token, at) for key, token in due.items() if key not in written)


def _write(token: Token, at: datetime) -> bool:
    """In a transaction of its own: one that cannot be written holds back no other."""
    try:
        with transaction.atomic():
            token = Token.objects.select_for_update(of=("self",)).select_related("system").get(pk=token.pk)
            due = rules.reminder_due(token, at)
            if not due:
                return False
            emails.token_expiring(token, due).save()
    except IntegrityError:
        return False  # another worker wrote it meanwhile
    except Exception:
        log.exception("The reminder of token %s could not be written", token.pk)
        return False
    return True


def is_still_true(letter: Letter, at: datetime) -> bool:
    """Asked when the letter leaves: the same token still ends, and the same person answers for its system."""
    token = Token.objects.select_related("system").filter(pk=letter.premise.get("token")).first()
    if token is None or token.system.contact != letter.recipient:
        return False
    return rules.reminder_due(token, at) == letter.premise["reminder"]
