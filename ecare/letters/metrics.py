"""Figures of the outbox, and whether the mail server takes letters."""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Count, Min, Q
from django.utils import timezone

from ecare.health import NotReady
from ecare.letters.models import Letter
from ecare.metrics import Measure, seconds_since

STUCK = timedelta(minutes=10)
State = Letter.State


def measures() -> Iterator[Measure]:
    now = timezone.now()
    found = Letter.objects.filter(state__in=(State.QUEUED, State.SENDING)).aggregate(
        count=Count("pk"),
        oldest=Min("send_after"),
        stuck=Count("pk", filter=Q(send_after__lt=now - STUCK)),
        tried=Count("pk", filter=~Q(error="")),
    )
    yield Measure("ecare_letters_waiting", "Letters that have not left.", found["count"])
    oldest = seconds_since(found["oldest"], now)
    yield Measure("ecare_letters_oldest_seconds", "For how long the oldest letter that is due has waited.", oldest)
    yield Measure("ecare_letters_stuck", "Letters due for more than ten minutes.", found["stuck"])
    yield Measure("ecare_letters_tried", "Letters that the mail server did not take yet.", found["tried"])
    failed = Letter.objects.filter(state=State.FAILED).count()
    yield Measure("ecare_letters_failed", "Letters that will not leave by themselves.", failed)
    held = Letter.objects.filter(state=State.HELD).count()
    yield Measure("ecare_letters_held", "Letters kept for the daily letter of their recipient.", held)


def check_mail() -> None:
    """For `/sante/`: nobody calls the mail server for that; the outbox says whether it could be reached."""
    waiting = Letter.objects.filter(state__in=(State.QUEUED, State.SENDING), attempts=0)
    if waiting.exclude(error="").exists():
        raise NotReady("letters were put off")
