"""One clock: instants in UTC, days in Paris."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")


def paris_day(instant: datetime) -> date:
    """The day in Paris at that instant."""
    return instant.astimezone(PARIS).date()


def end_of_day(day: date) -> datetime:
    """The first instant that no longer belongs to that Paris day (23 or 25 hours long on two days a year)."""
    return datetime.combine(day + timedelta(days=1), datetime.min.time(), tzinfo=PARIS)
