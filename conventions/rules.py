"""What the law of a convention says: which copy may enter and until when, and when to remind of a signature."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from accounts.models import User
from applications.models import Application
from applications.rules import readers_of
from applications.states import State
from ecare.clock import paris_day

FORMATS = ["pdf"]
MAX_BYTES = 10 * 1024 * 1024
DAYS_AFTER_ACCEPTANCE = (7, 21)


def may_be_signed(application: Application) -> bool:
    """While neither the ANS has recorded the convention nor the dossier ended."""
    return application.state == State.ACCEPTED


def countersigners_of(application: Application) -> list[User]:
    """The agents of the ANS, on whose desk an accepted dossier lies."""
    return readers_of(application, state=State.ACCEPTED)


@dataclass(frozen=True)
class SignatureReminder:
    """One is written per dossier, day it counts from (acceptance, or the latest refusal) and threshold."""

    day: date
    threshold: int

    @property
    def key(self) -> str:
        return f"signature:{self.day.isoformat()}:{self.threshold}"


def reminder_due(application: Application, refused_at: datetime | None, at: datetime) -> SignatureReminder | None:
    """The latest reminder that a Paris day calls for while the establishment has yet to sign.

    `refused_at`: when its latest copy was refused, if one was; a dossier that is accepted moved when it was.
    """
    if not application.is_to_sign:
        return None
    since = paris_day(max(application.moved_at, refused_at or application.moved_at))
    reached = [days for days in DAYS_AFTER_ACCEPTANCE if since + timedelta(days=days) <= paris_day(at)]
    return SignatureReminder(since, max(reached)) if reached else None
