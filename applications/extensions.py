"""The verbs of an extension: the ANS gives one to an establishment, and takes it back while it was not used."""

from datetime import date, datetime

import rules as permissions
from django.core.exceptions import PermissionDenied
from django.db import transaction

from accounts.models import User
from applications import eligibility, emails, more_time
from applications.actions import NotNow, lock
from applications.models import Application, Domain, Extension
from applications.states import Step
from ecare.french import paris_date
from ecare.journal.actions import record
from ecare.letters.actions import cancel
from establishments.models import Establishment

COLUMNS = {Step.CANDIDATURE: "candidature_extended_until", Step.DECLARATION: "declaration_extended_until"}


@transaction.atomic
def give_extension(
    domain: Domain, establishment: Establishment, *, step: Step, until: date, reason: str, by: User, at: datetime
) -> Extension:
    """In the place of one that is in force. Raises NotNow or PermissionDenied."""
    if not permissions.test_rule("give_extension", by, None):
        raise PermissionDenied
    _hold(establishment)
    dossier = _locked(domain, establishment)
    if fault := fault_of(domain, establishment, dossier, step=step, until=until, at=at):
        raise NotNow(fault)
    former = _those(domain, establishment, step).in_force()
    for one in former:
        _end(one, Extension.State.REPLACED, by=by, at=at)
    extension = Extension.objects.create(
        domain=domain, establishment=establishment, step=step, until=until, reason=reason, by=by, at=at
    )
    _write_on(dossier, step, until)
    _note(extension, "give_extension", dossier, by=by, message=reason)
    for person in more_time.told_of_extension(establishment, dossier):
        emails.extension_given(extension, dossier, person).save()
    return extension


@transaction.atomic
def withdraw_extension(extension: Extension, *, by: User, message: str, at: datetime) -> None:
    """Raises NotNow (it was used, or has ended) or PermissionDenied."""
    if not permissions.test_rule("give_extension", by, None):
        raise PermissionDenied
    _hold(extension.establishment)
    dossier = _locked(extension.domain, extension.establishment)
    found = Extension.objects.select_related("domain", "establishment__ght", "establishment__legal_entity")
    extension = found.get(pk=extension.pk)
    if fault := more_time.withdrawal_fault(extension, dossier):
        raise NotNow(fault)
    _end(extension, Extension.State.WITHDRAWN, by=by, at=at, message=message)
    _write_on(dossier, Step(extension.step), None)
    _note(extension, "withdraw_extension", dossier, by=by, message=message)
    for person in more_time.told_of_extension(extension.establishment, dossier):
        emails.extension_withdrawn(extension, dossier, person).save()


def dossier_of(domain: Domain, establishment: Establishment) -> Application | None:
    """The one that holds the establishment's place in the domain."""
    held = Application.objects.in_place().filter(domain=domain, establishment=establishment)
    return held.select_related("referent").first()


def fault_of(
    domain: Domain,
    establishment: Establishment,
    dossier: Application | None,
    *,
    step: Step,
    until: date | None,
    at: datetime,
) -> str:
    """Why it cannot be given, empty when it can. `until`: None before a day was typed."""
    known = _those(domain, establishment, step).in_force().values_list("until", flat=True).first()
    return fault_given(domain, establishment, dossier, step=step, known=known, until=until, at=at)


def fault_given(
    domain: Domain,
    establishment: Establishment,
    dossier: Application | None,
    *,
    step: Step,
    known: date | None,
    until: date | None,
    at: datetime,
) -> str:
    """The same for a page that read the extension in force (`known`) already."""
    if dossier is None and not eligibility.is_eligible(domain, establishment):
        return "Cet établissement n’est pas éligible à ce domaine, et n’y a pas de dossier."
    return more_time.extension_fault(domain, dossier, step=step, known=known, until=until, at=at)


def _those(domain: Domain, establishment: Establishment, step: Step):
    return Extension.objects.filter(domain=domain, establishment=establishment, step=step)


def _hold(establishment: Establishment) -> None:
    """Nobody starts a dossier of this establishment meanwhile, without the days that it is being given."""
    list(Establishment.objects.select_for_update(of=("self",), no_key=True).filter(pk=establishment.pk))


def _locked(domain: Domain, establishment: Establishment) -> Application | None:
    found = dossier_of(domain, establishment)
    return lock(found) if found else None


def _write_on(dossier: Application | None, step: Step, until: date | None) -> None:
    """The dossier's deadlines follow; reminders that counted from the former last day are untrue now."""
    if dossier is None:
        return
    setattr(dossier, COLUMNS[step], until)
    dossier.save(update_fields=[COLUMNS[step]])
    cancel(dossier.subject, ["reminder"])


def _end(extension: Extension, state: str, *, by: User, at: datetime, message: str = "") -> None:
    extension.state, extension.ended_by, extension.ended_at, extension.message = state, by, at, message
    extension.save(update_fields=["state", "ended_by", "ended_at", "message"])


def _note(extension: Extension, verb: str, dossier: Application | None, *, by: User, message: str) -> None:
    """On a subject of its own, and on the dossier if there is one."""
    data = {
        "domain": extension.domain.slug,
        "establishment": extension.establishment.finess,
        "step": extension.step,
        "until": extension.until.isoformat(),
    }
    record(extension.subject, verb, actor=by.actor, message=message, data=data)
    if dossier is not None:
        said = f"{Step(extension.step).label}, jusqu’au {paris_date(extension.until)}. {message}"
        record(dossier.subject, verb, actor=by.actor, message=said, data=data | {"extension": extension.pk})
