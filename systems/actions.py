"""The verbs of tokens: issue and revoke, by administrators; the count of what each reads."""

from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F, Q

from accounts.models import User
from ecare.clock import paris_day
from ecare.journal.actions import record
from systems import rules
from systems.models import Scope, System, Token, Usage

MINUTE = timedelta(minutes=1)


class CannotIssue(Exception):
    """The message is for the screen."""


def _require_administrator(by: User) -> None:
    if not (by.is_active and by.is_staff):
        raise PermissionDenied


# --- systems ------------------------------------------------------------------------------------------------------
@transaction.atomic
def add_system(system: System, *, by: User) -> None:
    _require_administrator(by)
    system.save(force_insert=True)
    record(system.subject, "add_system", actor=by.actor, data={"name": system.name, "purpose": system.purpose})


@transaction.atomic
def change_system(system: System, *, by: User) -> None:
    """Keep what was typed; the journal says what it was before, but of the contact only that it changed."""
    _require_administrator(by)
    before = System.objects.select_for_update().get(pk=system.pk)
    names = [name for name in ("name", "contact", "purpose", "is_active") if _differs(before, system, name)]
    if not names:
        return
    system.save()
    told: dict[str, Any] = {name: [getattr(before, name), getattr(system, name)] for name in names if name != "contact"}
    record(system.subject, "change_system", actor=by.actor, data=told | {"changed": names})


def _differs(before: System, system: System, name: str) -> bool:
    return getattr(before, name) != getattr(system, name)


# --- tokens -------------------------------------------------------------------------------------------------------
@transaction.atomic
def issue_token(
    system: System, reach: rules.Reach, *, by: User, at: datetime, label: str, expires_on: date
) -> tuple[Token, str]:
    """The token, and its value, which nobody can read again. Raises CannotIssue or PermissionDenied."""
    _require_administrator(by)
    system = System.objects.select_for_update().get(pk=system.pk)
    if not system.is_active:
        raise CannotIssue(INACTIVE)
    if refusal := next(iter(reach.faults.values()), "") or rules.why_not_until(expires_on, at):
        raise CannotIssue(refusal)
    if Token.objects.filter(system=system, label=label, revoked_at=None).exists():
        raise CannotIssue(SAME_LABEL)
    value = rules.new_value()
    token = Token.objects.create(
        system=system,
        label=label,
        prefix=value[: rules.SHOWN],
        digest=rules.digest_of(value),
        scopes=[one for one in Scope.values if one in reach.scopes],
        all_domains=reach.all_domains,
        all_regions=reach.all_regions,
        issued_at=at,
        issued_by=by,
        expires_on=expires_on,
    )
    token.domains.set(reach.domains)
    token.regions.set(reach.regions)
    told = {
        "prefix": token.prefix,
        "label": label,
        "expires_on": expires_on.isoformat(),
        "scopes": token.scopes,
        "domains": "*" if reach.all_domains else sorted(domain.slug for domain in reach.domains),
        "regions": "*" if reach.all_regions else sorted(region.pk for region in reach.regions),
    }
    record(system.subject, "issue_token", actor=by.actor, data=told)
    return token, value


INACTIVE = "Ce système n’est plus actif : réactivez-le d’abord."
SAME_LABEL = "Un jeton de ce système porte déjà cet intitulé : choisissez-en un autre, ou révoquez l’ancien."


@transaction.atomic
def revoke_token(token: Token, *, by: User, at: datetime) -> bool:
    """At once and for good. False when it was revoked already."""
    _require_administrator(by)
    token = Token.objects.select_for_update(of=("self",)).select_related("system").get(pk=token.pk)
    if token.revoked_at is not None:
        return False
    token.revoked_at, token.revoked_by = at, by
    token.save(update_fields=["revoked_at", "revoked_by"])
    data = {"prefix": token.prefix, "label": token.label}
    record(token.system.subject, "revoke_token", actor=by.actor, data=data)
    return True


# --- reading ------------------------------------------------------------------------------------------------------
@transaction.atomic
def enter(token: Token, *, at: datetime) -> int:
    """Take one of the readings of this minute, whichever process answers. Returns after how many seconds to come
    back; 0: come in."""
    usage = _usage(token, at)
    minute = max(at.replace(second=0, microsecond=0), usage.minute or at - MINUTE)  # never back by another host's clock
    taken = usage.in_minute if usage.minute == minute else 0
    if taken >= settings.API_READINGS_PER_MINUTE:
        usage.refusals += 1
        usage.save(update_fields=["refusals"])
        return max(1, (minute + MINUTE - at).seconds)
    usage.minute, usage.in_minute = minute, taken + 1
    usage.save(update_fields=["minute", "in_minute"])
    return 0


def _usage(token: Token, at: datetime) -> Usage:
    """The row of the day, locked."""
    found = {"token": token, "day": paris_day(at)}
    usage = Usage.objects.select_for_update().filter(**found).first()
    if usage is None:
        Usage.objects.bulk_create([Usage(**found)], ignore_conflicts=True)
        usage = Usage.objects.select_for_update().get(**found)
    return usage


@transaction.atomic
def note_reading(token: Token, *, at: datetime, dossiers: int) -> None:
    """A reading that was answered. `last_used_at` is written once in some minutes."""
    day = Usage.objects.filter(token=token, day=paris_day(at))
    day.update(requests=F("requests") + 1, dossiers=F("dossiers") + dossiers)
    if token.last_used_at is None or at - token.last_used_at >= rules.USED_PRECISION:
        old = Q(last_used_at=None) | Q(last_used_at__lt=at)
        Token.objects.filter(old, pk=token.pk).update(last_used_at=at)


@transaction.atomic
def note_refusal(token: Token, *, at: datetime) -> None:
    """Of a token that is known: expired or revoked, without the scope, outside its limits, asking wrongly."""
    usage = _usage(token, at)
    usage.refusals += 1
    usage.save(update_fields=["refusals"])
