"""The verbs about the people of a dossier: its contacts, who holds it, who asks to hold it."""

from datetime import datetime

import rules as permissions
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from accounts.models import Civility, User
from applications import emails, rules
from applications.actions import NotNow, lock, write_answer
from applications.models import Application, Contact, Question, TakeOverRequest
from applications.states import CANDIDATURE_EDITABLE
from ecare.journal.actions import record
from ecare.letters.actions import cancel
from ecare.letters.models import Letter


# --- contacts -----------------------------------------------------------------------------------------------------
class ContactMoved(NotNow):
    """The contact changed since the page showed it; `contact`: as it is now."""

    def __init__(self, contact: Contact):
        super().__init__(
            "Ce contact a été modifié ailleurs depuis l’affichage de cette page. "
            f"Il est maintenant : {_said(contact)}. "
            "Vérifiez votre saisie, puis enregistrez à nouveau pour la garder."
        )
        self.contact = contact


@transaction.atomic
def update_contact(
    application: Application, *, by: User, role: str, values: dict[str, str], mark: str | None = None
) -> bool:
    """Write a contact and the answers bound to it, at any stage. Returns whether anything changed. `mark`: of the
    contact that the page showed.

    Raises ContactMoved, NotNow or PermissionDenied. What was sent stays as it was sent.
    """
    application = lock(application)
    if not permissions.test_rule("act_as_referent", by, application):
        raise PermissionDenied
    if not rules.may_update_contacts(application):
        raise NotNow("Les contacts d’un dossier retiré ou abandonné ne changent plus.")
    contact, _ = Contact.objects.get_or_create(application=application, role=role)
    before = {name: getattr(contact, name) for name in values if getattr(contact, name) != values[name]}
    if not before:
        return False
    if mark is not None and mark != contact.mark:
        raise ContactMoved(contact)
    said_before = _said(contact)
    for name in before:
        setattr(contact, name, values[name])
    contact.save()
    for question in _questions_bound_to(application, role):
        if question.contact_field in before:
            write_answer(application, question, values[question.contact_field])
    _tell_of_contact(application, contact, said_before, before, by=by)
    return True


def _questions_bound_to(application: Application, role: str) -> list[Question]:
    """Of both steps."""
    forms = [form for form in (application.candidature_form_id, application.declaration_form_id) if form]
    return list(Question.objects.filter(section__form__in=forms, contact_role=role).select_related("section"))


def _tell_of_contact(application: Application, contact: Contact, said_before: str, before: dict, *, by: User) -> None:
    """The journal keeps old and new; what reviewers read of it says nothing of a form that is not sent."""
    is_being_written = application.state in CANDIDATURE_EDITABLE
    record(
        application.subject,
        "update_contact",
        actor=by.actor,
        message="" if is_being_written else f"{contact.get_role_display()} : {said_before} → {_said(contact)}",
        data={"role": contact.role, "before": before, "after": {name: getattr(contact, name) for name in before}},
    )
    # Of several changes of one contact in a row, the last is told.
    cancel(application.subject, ["contacts_changed"], premise=emails.about_contact(contact))
    emails.contacts_changed(application, contact, application.referent).save()
    for reader in rules.readers_of(application):
        emails.contacts_changed(application, contact, reader).save()


def _said(contact: Contact) -> str:
    """A contact in one line."""
    civility = Civility(contact.civility).label if contact.civility else ""
    names = " ".join(filter(None, [civility, contact.first_name, contact.last_name]))
    return ", ".join(filter(None, [names, contact.email])) or "non renseigné"


# --- transfer -----------------------------------------------------------------------------------------------------
NOT_ELIGIBLE = "Ce compte ne peut pas recevoir de dossier : il n’est pas, ou plus, celui d’un collaborateur actif."


@transaction.atomic
def transfer(application: Application, *, by: User, to: User, version: int) -> Application:
    """Give a dossier to a colleague, in any state but withdrawn; the giver loses access at once.

    Raises NotNow or PermissionDenied.
    """
    application = lock(application, version=version)
    if not permissions.test_rule("act_as_referent", by, application):
        raise PermissionDenied
    if not rules.may_change_hands(application):
        raise NotNow("Un dossier retiré ne se transfère pas.")
    to = _able_to_hold(application, to)
    _hand_over(application, to)
    data = {"from": f"user:{by.pk}", "to": f"user:{to.pk}"}
    record(application.subject, "transfer", actor=by.actor, message=f"De {by} à {to}", data=data)
    for person in (to, by):
        emails.transferred(application, person, sender=by).save()
    return application


def _able_to_hold(application: Application, person: User) -> User:
    """That person, locked, if they may hold this dossier from now on. Raises NotNow."""
    list(User.objects.select_for_update(of=("self",)).filter(pk=person.pk))
    able = User.objects.activated().filter(
        role=User.Role.REFERENT, is_active=True, establishment=application.establishment_id
    )
    found = able.exclude(pk=application.referent_id).filter(pk=person.pk).first()
    if found is None:
        raise NotNow(NOT_ELIGIBLE)
    return found


def _hand_over(application: Application, to: User) -> None:
    """What called the former référent to act has nobody left to call; what the new one asked for is done."""
    application.referent = to
    application.version += 1
    application.save(update_fields=["referent", "version"])
    cancel(application.subject, emails.CALLS_TO_REFERENT)
    TakeOverRequest.objects.open().filter(application=application, by=to).update(
        state=TakeOverRequest.State.MOOT, decided_at=timezone.now()
    )


# --- take-over ----------------------------------------------------------------------------------------------------
class AlreadyAsked(NotNow):
    """This person already asked for this dossier."""


@transaction.atomic
def request_take_over(application: Application, *, by: User, reason: str) -> TakeOverRequest:
    """Ask to hold a dossier that a colleague holds. Raises NotNow, AlreadyAsked or PermissionDenied."""
    application = lock(application)
    if not permissions.test_rule("request_take_over", by, application):
        raise PermissionDenied
    if not rules.may_change_hands(application):
        raise NotNow("Un dossier retiré ne se reprend pas.")
    if TakeOverRequest.objects.open().filter(application=application, by=by).exists():
        raise AlreadyAsked("Vous avez déjà demandé la reprise de ce dossier : la demande est en attente.")
    asked = TakeOverRequest.objects.create(application=application, by=by, reason=reason)
    record(application.subject, "request_take_over", actor=by.actor, message=reason, data={"request": asked.pk})
    for person in (by, application.referent):
        emails.take_over_requested(asked, person).save()
    for agent in rules.deciders_of(application):
        emails.take_over_to_decide(asked, agent).save()
    return asked


@transaction.atomic
def accept_take_over(asked: TakeOverRequest, *, by: User, holder: int) -> Application:
    """Give the dossier to whoever asked; `holder`: the référent that the page showed. Raises NotNow."""
    application, asked = _lock_request(asked, by=by, holder=holder)
    former = application.referent
    _able_to_hold(application, asked.by)
    _decide(asked, TakeOverRequest.State.ACCEPTED, by=by)
    _hand_over(application, asked.by)
    data = {"request": asked.pk, "from": f"user:{former.pk}", "to": f"user:{asked.by_id}"}
    message = f"De {former} à {asked.by}"
    record(application.subject, "accept_take_over", actor=by.actor, message=message, data=data)
    for person in (asked.by, former):
        emails.take_over_accepted(asked, person).save()
    return application


@transaction.atomic
def refuse_take_over(asked: TakeOverRequest, *, by: User, holder: int, message: str) -> None:
    """Leave the dossier where it is, with a reason. Raises NotNow."""
    application, asked = _lock_request(asked, by=by, holder=holder)
    _decide(asked, TakeOverRequest.State.REFUSED, by=by, message=message)
    data = {"request": asked.pk, "asked_by": f"user:{asked.by_id}"}
    record(application.subject, "refuse_take_over", actor=by.actor, message=message, data=data)
    for person in (asked.by, application.referent):
        emails.take_over_refused(asked, person).save()


def still_reads(letter: Letter, at: datetime) -> bool:
    """Asked when a letter to an agent leaves: their role, or their regions, may have changed since it was written."""
    person = User.objects.filter(email__iexact=letter.recipient).first()
    reference = letter.subject.removeprefix("application:")
    return person is not None and Application.objects.visible_to(person).filter(reference=reference).exists()


def is_still_asked(letter: Letter, at: datetime) -> bool:
    """Asked when the letter about a request leaves: the request is still open."""
    return TakeOverRequest.objects.open().filter(pk=letter.premise.get("take_over")).exists()


def _lock_request(asked: TakeOverRequest, *, by: User, holder: int) -> tuple[Application, TakeOverRequest]:
    """The dossier first, as every verb locks it; then the request as it is now."""
    application = lock(asked.application)
    asked = TakeOverRequest.objects.select_related("by", "decided_by").get(pk=asked.pk)
    asked.application = application
    if not permissions.test_rule("decide_take_over", by, application):
        raise PermissionDenied
    if not asked.is_open:
        who = f" par {asked.decided_by}" if asked.decided_by else ""
        raise NotNow(f"Cette demande n’est plus en attente : {asked.get_state_display().lower()}{who}.")
    if application.referent_id != holder:
        raise NotNow(f"Ce dossier a changé de référent : il est maintenant suivi par {application.referent}.")
    if not rules.may_change_hands(application):
        raise NotNow("Ce dossier a été retiré : il ne se reprend pas.")
    return application, asked


def _decide(asked: TakeOverRequest, state: str, *, by: User, message: str = "") -> None:
    asked.state, asked.decided_by, asked.decided_at, asked.message = state, by, timezone.now(), message
    asked.save(update_fields=["state", "decided_by", "decided_at", "message"])
