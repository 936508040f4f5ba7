"""What the law says of an extension: who is told, when it may be given, when it may be taken back."""

from datetime import date, datetime

from accounts.models import User
from applications.models import Application, Domain, Extension
from applications.rules import later
from applications.states import ENDED, Step
from ecare.clock import paris_day
from ecare.french import paris_date
from establishments.models import Establishment


def told_of_extension(establishment: Establishment, dossier: Application | None) -> list[User]:
    """Who gets the letter: the référent of the dossier, or all those of the establishment while it has none."""
    if dossier is not None:
        return [dossier.referent]
    people = User.objects.filter(role=User.Role.REFERENT, establishment=establishment, is_active=True)
    return list(people.order_by("last_name", "pk"))


def extension_fault(
    domain: Domain,
    dossier: Application | None,
    *,
    step: str,
    known: date | None,
    until: date | None,
    at: datetime,
) -> str:
    """Why more time cannot be given, or not until that day; empty when it can. `known`: the extension in force."""
    ordinary = ordinary_last_day(domain, dossier, step)
    if ordinary is None:
        return "Ce domaine n’a pas de date limite pour cette étape : une prolongation est inutile."
    if dossier is not None and dossier.state in ENDED:
        return f"Le dossier de l’établissement est terminé ({dossier.reviewer_label.lower()})."
    if dossier is not None and _first_sending(dossier, step) is not None:
        return "Cette étape a déjà été transmise : elle n’a plus de date limite."
    if until is None:
        return ""
    if until < paris_day(at):
        return "Cette date est passée : indiquez un jour à venir."
    last = later(ordinary, known)
    if last is not None and until <= last:
        return f"Cette date ne prolonge rien : l’établissement a déjà jusqu’au {paris_date(last)} inclus."
    return ""


def withdrawal_fault(extension: Extension, dossier: Application | None) -> str:
    """Why an extension cannot be taken back; empty when it can: what it allowed stands."""
    if not extension.is_in_force:
        return f"Cette prolongation n’est plus en vigueur : elle est {extension.get_state_display().lower()}."
    if dossier is not None and _used_it(extension, dossier):
        return "Cette prolongation a servi : la candidature a été commencée, ou l’étape transmise, grâce à elle."
    return ""


def _used_it(extension: Extension, dossier: Application) -> bool:
    """Whether what was done after it was given was too late without it."""
    done = [(_first_sending(dossier, extension.step), ordinary_last_day(extension.domain, dossier, extension.step))]
    if extension.step == Step.CANDIDATURE:
        done.append((dossier.created_at, extension.domain.candidature_until))
    return any(at and last and at > extension.at and paris_day(at) > last for at, last in done)


def _first_sending(dossier: Application, step: str) -> datetime | None:
    return dossier.candidature_submitted_at if step == Step.CANDIDATURE else dossier.declaration_submitted_at


def ordinary_last_day(domain: Domain, dossier: Application | None, step: str) -> date | None:
    """Without an extension: to start while there is no dossier, else to send."""
    if step == Step.DECLARATION:
        return domain.declaration_until
    return domain.candidature_until if dossier is None else domain.last_first_submission
