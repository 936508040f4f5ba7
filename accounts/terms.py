"""The verbs of a version of the terms (CGU) in the making: each locks it, refuses what is published, tells the journal.

Publishing freezes it for good, from its day on or before: people accept these very words.
"""

import hashlib
import re
from datetime import date, datetime, time

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q

from accounts.models import Terms, TermsAcceptance, User
from ecare.clock import PARIS, paris_day
from ecare.french import paris_date
from ecare.journal.actions import record

FROZEN = "Cette version est publiée : elle ne change plus. Créez la version suivante pour la modifier."
CHANGED = "Cette version a changé depuis l’affichage de cette page. Relisez-la, puis publiez-la à nouveau."
EMPTY = "Cette version ne dit rien : écrivez son texte avant de la publier."
GONE = "Cette version en préparation a été supprimée."


class Refused(Exception):
    """The message is for the screen."""


@transaction.atomic
def begin(version: str, text: str, *, by: User) -> Terms:
    """A version that nobody sees yet."""
    terms = Terms.objects.create(version=version, text=text)
    _tell(terms, "begin_terms", by=by)
    return terms


@transaction.atomic
def save(terms: Terms, *, version: str, text: str, by: User) -> Terms:
    """What says what it said leaves no trace. Raises Refused once it is published."""
    terms = _lock_open(terms)
    if (terms.version, terms.text) == (version, text):
        return terms
    terms.version, terms.text = version, text
    terms.save(update_fields=["version", "text"])
    _tell(terms, "save_terms", by=by)
    return terms


@transaction.atomic
def duplicate(terms: Terms, *, by: User) -> Terms:
    """The next version, with the same text, in the making; one is prepared at a time. Raises Refused."""
    every = list(Terms.objects.select_for_update(of=("self",)).order_by("pk"))
    waiting = next((one for one in every if one.published_at is None), None)
    if waiting is not None:
        raise Refused(f"La version {waiting.version} est déjà en préparation : publiez-la ou supprimez-la d’abord.")
    copy = Terms.objects.create(version=_next_version(every), text=terms.text)
    _tell(copy, "duplicate_terms", by=by, copied=terms.version)
    return copy


def _next_version(every: list[Terms]) -> str:
    """« 3.0 » after « 2.1 » and « 1.0 »."""
    numbers = [int(found[0]) for one in every if (found := re.match(r"\d{1,9}", one.version))]
    return f"{max(numbers, default=0) + 1}.0"


@transaction.atomic
def publish(terms: Terms, *, on: date, mark: str, by: User, at: datetime) -> Terms:
    """In force from that day in Paris, or at once if it is today. `mark`: of what was read (`mark_of`). Raises
    Refused."""
    others = list(Terms.objects.select_for_update(of=("self",)).exclude(published_at=None).order_by("pk"))
    terms = _lock_open(terms)
    if mark_of(terms) != mark:
        raise Refused(CHANGED)
    if fault := fault_of(terms, others, on=on, at=at):
        raise Refused(fault)
    terms.published_at = at if on == paris_day(at) else datetime.combine(on, time(), tzinfo=PARIS)
    terms.save(update_fields=["published_at"])
    _tell(terms, "publish_terms", by=by, on=on.isoformat(), mark=mark)
    return terms


def fault_of(terms: Terms, others: list[Terms], *, on: date | None, at: datetime) -> str:
    """Why it cannot be published, or not on that day; empty when it can."""
    if not any(terms.blocks()):
        return EMPTY
    if on is None:
        return ""
    if on < paris_day(at):
        return "Ce jour est passé : choisissez aujourd’hui ou un jour à venir."
    known = [(one.published_at, one.version) for one in others if one.published_at is not None]
    last, version = max(known, default=(None, ""))
    if last is not None and paris_day(last) > on:
        day = paris_date(last)
        return f"La version {version} entre en vigueur le {day}, après ce jour : choisissez un jour qui la suit."
    if last is not None and paris_day(last) == on and last > at:
        return f"La version {version} entre en vigueur ce jour-là : choisissez un autre jour."
    return ""


@transaction.atomic
def discard(terms: Terms, *, by: User) -> None:
    """Give up a version in the making. Raises Refused once it is published."""
    terms = _lock_open(terms)
    _tell(terms, "discard_terms", by=by)
    terms.delete()


def mark_of(terms: Terms) -> str:
    """A digest of everything that it says."""
    return hashlib.sha256(f"{terms.version}\0{terms.text}".encode()).hexdigest()


def who_will_accept() -> list[dict]:
    """How many people of each role the next version will be shown to, and how many of them accepted one before: one
    query."""
    accepted = Exists(TermsAcceptance.objects.filter(user=OuterRef("pk")))
    people = User.objects.filter(is_active=True).filter(Q(last_login__isnull=False) | accepted).annotate(again=accepted)
    counted = (
        people.order_by("role")
        .values("role")
        .annotate(number=Count("pk", distinct=True), again_number=Count("pk", filter=Q(again=True), distinct=True))
    )
    labels = dict(User.Role.choices)
    return [{"role": labels[row["role"]], "number": row["number"], "again": row["again_number"]} for row in counted]


def _lock_open(terms: Terms) -> Terms:
    found = Terms.objects.select_for_update(of=("self",)).filter(pk=terms.pk).first()
    if found is None:
        raise Refused(GONE)
    if found.published_at is not None:
        raise Refused(FROZEN)
    return found


def _tell(terms: Terms, verb: str, *, by: User, **data) -> None:
    record(f"terms:{terms.pk}", verb, actor=by.actor, data={"version": terms.version, **data})
