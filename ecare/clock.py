"""One clock: instants in UTC, days in Paris."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")


def paris_day(instant: datetime) -> date:
    """The day in Paris at that instant."""
    return instant.astimezone(PARIS).date()
