"""How dates, amounts and sizes are written in French: plain functions, and filters in every template."""

from datetime import date, datetime
from typing import Literal

from django import template

from ecare.clock import PARIS

register = template.Library()

NBSP = "\u00a0"
MONTHS = "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split()


@register.filter
def paris_date(value: date | datetime | None) -> str:
    """21 novembre 2026, 1er décembre 2026: the day in Paris of an instant, or a plain day."""
    if not value:
        return ""
    if isinstance(value, datetime):
        value = value.astimezone(PARIS)
    day = "1er" if value.day == 1 else str(value.day)
    return f"{day} {MONTHS[value.month - 1]} {value.year}"


@register.filter
def paris_hour(value: datetime) -> str:
    """14 h 05, the hour that a clock in Paris shows at that instant."""
    there = value.astimezone(PARIS)
    return f"{there.hour}{NBSP}h{NBSP}{there.minute:02d}"


@register.filter
def paris_datetime(value: datetime | None) -> str:
    """21 novembre 2026 à 14 h 05, in Paris."""
    return f"{paris_date(value)} à {paris_hour(value)}" if value else ""


@register.filter
def paris_second(value: datetime | None) -> str:
    """21 novembre 2026 à 14 h 05 min 09 s: the legal hour of a receipt."""
    if not value:
        return ""
    return f"{paris_datetime(value)}{NBSP}min{NBSP}{value.second:02d}{NBSP}s"


def after_colon(sentence: str) -> str:
    """A sentence that follows « nom : » begins in lower case: « rib.pdf » : ce fichier est vide."""
    return sentence[:1].lower() + sentence[1:]


@register.filter
def euros(cents: int | Literal[""] | None) -> str:
    """7 000 € or 7 000,50 €, from an integer number of cents."""
    if cents is None or cents == "":
        return ""
    whole, rest = divmod(abs(cents), 100)
    amount = f"{whole:,}".replace(",", NBSP) + (f",{rest:02d}" if rest else "")
    return f"{'−' if cents < 0 else ''}{amount}{NBSP}€"


@register.filter
def thousands(number: int | Literal[""] | None) -> str:
    """812 345: a whole number in groups of three."""
    return "" if number is None or number == "" else f"{number:,}".replace(",", NBSP)


@register.filter
def megabytes(size: int | Literal[""] | None) -> str:
    """1,5 Mo, 350 ko, 12 octets; 1 Mo is 1,048,576 bytes, as the applicant's computer counts."""
    if size is None or size == "":
        return ""
    if size < 1024:
        return f"{thousands(size)}{NBSP}octet{'s' if size > 1 else ''}"
    if round(size / 1024) < 1024:
        return f"{round(size / 1024)}{NBSP}ko"
    return f"{size / 1024**2:.1f}".removesuffix(".0").replace(".", ",") + f"{NBSP}Mo"
