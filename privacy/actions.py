"""The rights of a person: a copy of all that is held on them, and the erasure of what no law keeps (ADR 37)."""

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce

from accounts.models import Invitation, User
from accounts.retention import drop_ways_in
from applications.models import Application
from ecare.journal.actions import SYSTEM, record, veil
from ecare.journal.models import Entry
from ecare.letters.models import Letter, LetterText
from ecare.letters.retention import erase_words
from ecare.letters.rules import NOBODY
from establishments.models import DirectoryImport, ImportRequest
from exports.models import Export
from privacy import emails, rules

BATCH = 100
LONG_CLOSED = "Compte fermé depuis longtemps."


class CannotErase(Exception):
    """The sentence says why, and what to do first."""


@transaction.atomic
def hand_over(person: User, *, by: tuple[str, str], reason: str, at: datetime) -> None:
    """A copy of all that is held on somebody was made: the journal keeps who asked and why, the person is told."""
    record(f"user:{person.pk}", "hand_over_data", actor=by, message=reason)
    emails.data_handed_over(person, reason=reason, at=at).save()


@transaction.atomic
def erase(person: User, *, by: User | None, reason: str, at: datetime) -> None:
    """Nobody reads any more who this was; what the law keeps stays under the number of the account.

    Raises CannotErase."""
    list(User.objects.select_for_update(of=("self",)).filter(role=User.Role.ADMINISTRATOR).order_by("pk"))
    person = User.objects.select_for_update(of=("self",)).get(pk=person.pk)
    if refusal := rules.why_not_erase(person, by=by):
        raise CannotErase(refusal)
    last = emails.account_erased(person, reason=reason, at=at)
    record(f"user:{person.pk}", "erase_person", actor=by.actor if by else SYSTEM, message=reason)
    names = _veil(person)
    _erase_letters(person, names)
    _erase_labels(person, names)
    _erase_what_is_theirs_alone(person)
    drop_ways_in(person)
    _empty(person)
    last.save()


def _veil(person: User) -> set[str]:
    """The journal shows them no more. Returns what they were called."""
    names = {str(person), person.get_full_name(), *veil(f"user:{person.pk}")}
    for invitation in Invitation.objects.filter(Q(person=person) | Q(email__iexact=person.email)):
        veil(invitation.subject)
        erase_words(Letter.objects.about(invitation.subject))
        Invitation.objects.filter(pk=invitation.pk).update(email=rules.NOBODY.format(pk=person.pk))
    return names - {""}


def _erase_letters(person: User, names: set[str]) -> None:
    """Those to them, whatever is told there; those about them, or that name them, to whoever it was."""
    mailboxes = _mailboxes(person)
    to_them = Q(subject=f"user:{person.pk}")
    for mailbox in mailboxes:
        to_them |= Q(recipient__iexact=mailbox)
    erase_words(Letter.objects.filter(to_them), recipient=NOBODY)
    theirs = [application.subject for application in Application.objects.filter(referent=person)]
    told = Q(subject__in=theirs, text__icontains=person.last_name)
    for word in {*_telling(names), *mailboxes}:
        told |= Q(text__icontains=word) | Q(title__icontains=word)
    erase_words(Letter.objects.filter(told))


def _mailboxes(person: User) -> set[str]:
    """Theirs, and those that they had before."""
    changes = Entry.objects.filter(subject=f"user:{person.pk}", verb="change_email")
    return {person.email, *(entry.data["from"] for entry in changes)}


def _telling(names: set[str]) -> set[str]:
    """A first and a last name: one word alone is in the words of others too."""
    return {name for name in names if " " in name}


def _erase_labels(person: User, names: set[str]) -> None:
    """Where somebody is named by a label instead of a reference."""
    labels = Q()
    for name in names:
        labels |= Q(by=name) | Q(by__startswith=f"{name} (")
    for model in (DirectoryImport, LetterText):
        model._default_manager.filter(labels).update(by=rules.ERASED)
    ImportRequest.objects.filter(actor=f"user:{person.pk}").update(by=rules.ERASED)
    kind = ContentType.objects.get_for_model(User)
    about = Q(content_type=kind, object_id=str(person.pk)) | Q(user=person)
    for name in {*_telling(names), person.email}:
        about |= Q(object_repr__icontains=name)
    LogEntry.objects.filter(about).update(object_repr=rules.ERASED, change_message="")


def _erase_what_is_theirs_alone(person: User) -> None:
    """What they kept for themselves, and what they were asked to do."""
    for relation in ("views", "phrases", "claims", "assignments"):
        getattr(person, relation).all().delete()
    Export.objects.filter(asked_by=person).update(what="", label=rules.ERASED)


def _empty(person: User) -> None:
    person.username = f"efface-{person.pk}"
    person.email = rules.NOBODY.format(pk=person.pk)
    person.first_name, person.last_name, person.civility, person.phone = "", rules.ERASED, "", ""
    person.is_active, person.is_staff, person.second_factor_since = False, False, None
    person.role = person.role if person.role != User.Role.ADMINISTRATOR else User.Role.ANS
    person.set_unusable_password()
    person.save()
    person.regions.clear()


def erase_long_closed(at: datetime) -> int:
    """Accounts that were closed and that nobody asked to open again."""
    return sum(_erase_closed(person, at) for person in _long_closed(at)[:BATCH])


def _long_closed(at: datetime) -> QuerySet[User]:
    before = at - timedelta(days=settings.CLOSED_ACCOUNTS_KEPT_DAYS)
    found = User.objects.filter(is_active=False).annotate(used_at=Coalesce("last_login", "date_joined"))
    return found.filter(used_at__lt=before).exclude(email__endswith="@personne.invalid").order_by("pk")


def _erase_closed(person: User, at: datetime) -> bool:
    try:
        erase(person, by=None, reason=LONG_CLOSED, at=at)
    except CannotErase:
        return False
    return True
