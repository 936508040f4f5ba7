"""The verbs about the people of a dossier: its contacts, who holds it, who asks to hold it."""

import rules as permissions
from django.core.exceptions import PermissionDenied
from django.db import transaction

from accounts.models import Civility, User
from applications import emails, rules
from applications.actions import NotNow, lock, write_answer
from applications.models import Application, Contact, Question
from applications.states import CANDIDATURE_EDITABLE
from ecare.journal.actions import record


# --- contacts -----------------------------------------------------------------------------------------------------
@transaction.atomic
def update_contact(application: Application, *, by: User, role: str, values: dict[str, str]) -> bool:
    """Write a contact and the answers bound to it, at any stage. Returns whether anything changed.

    Raises NotNow or PermissionDenied. What was sent stays as it was sent.
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
        message="" if is_being_written else f"{contact.get_role_display()} : {said_before} → {_said(contact)}",
        data={"role": contact.role, "before": before, "after": {name: getattr(contact, name) for name in before}},
    )
    emails.contacts_changed(application, contact, application.referent).save()
    for reader in rules.readers_of(application):
        emails.contacts_changed(application, contact, reader).save()


def _said(contact: Contact) -> str:
    """A contact in one line."""
    civility = Civility(contact.civility).label if contact.civility else ""
    names = " ".join(filter(None, [civility, contact.first_name, contact.last_name]))
    return ", ".join(filter(None, [names, contact.email])) or "non renseigné"
