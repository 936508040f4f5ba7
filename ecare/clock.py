"""One clock: instants in UTC, days in Paris."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")


def paris_day(instant: datetime) -> date:
    """The day in Paris at that instant."""
    return instant.astimezone(PARIS).date()


def next_hour(instant: datetime, hour: int) -> datetime:
    """The first time that a clock in Paris shows that whole hour, at that instant or after it."""
    day = paris_day(instant)
    wanted = datetime.combine(day, time(hour), tzinfo=PARIS)
    return wanted if wanted >= instant else datetime.combine(day + timedelta(days=1), time(hour), tzinfo=PARIS)
