"""All that is held on somebody, room by room: whatever refers to their account, and what names them in words.

New tables come in by themselves: every relation that leads to `User` is followed. What opens an account, and what is
sealed, is left out: it says nothing of anybody.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import BinaryField, Field, ForeignKey, Model, Q, QuerySet

from accounts.models import Invitation, User
from applications.models import Answer, Application, Contact, Submission
from ecare.journal.models import Entry
from ecare.letters.models import Letter, LetterText
from establishments.models import DirectoryImport, ImportRequest
from evidence.models import Evidence

SECRET = {
    "password", "token", "secret", "sealed_key", "key", "session_key", "session_data", "lease", "leased_until",
    "digest", "previous", "storage_name", "key_name",
}  # fmt: skip
Row = dict[str, Any]


def held_on(person: User) -> dict[str, list[Row]]:
    """By what it is, in French; only what there is."""
    found: dict[str, list[Row]] = {"Compte": [_row(person)]}
    for name, rows in [*_related(person), *_named(person), *_dossiers(person)]:
        told = [row for row in map(_row, rows) if row not in found.get(name, [])]
        if told:
            found[name] = found.get(name, []) + told
    return found


def _related(person: User) -> Iterator[tuple[str, QuerySet]]:
    """Every row that refers to the account."""
    for relation in User._meta.get_fields(include_hidden=True):
        model, field = relation.related_model, getattr(relation, "field", None)
        if not relation.auto_created or relation.concrete or model is None or field is None or model._meta.auto_created:
            continue
        yield str(model._meta.verbose_name).capitalize(), model._default_manager.filter(**{field.name: person})


def _named(person: User) -> Iterator[tuple[str, QuerySet]]:
    """What names them without a relation."""
    reference, label = person.actor
    yield "Courrier", Letter.objects.filter(Q(recipient__iexact=person.email) | Q(subject=reference))
    yield "Écriture du journal", Entry.objects.filter(Q(actor=reference) | Q(subject=reference))
    yield "Invitation", Invitation.objects.filter(email__iexact=person.email)
    yield "Mise à jour du répertoire", ImportRequest.objects.filter(actor=reference)
    for model in (DirectoryImport, LetterText):
        rows = model._default_manager.filter(Q(by=str(person)) | Q(by=label))
        yield str(model._meta.verbose_name).capitalize(), rows


def _dossiers(person: User) -> Iterator[tuple[str, QuerySet]]:
    """What stands in the dossiers that they hold."""
    held = Application.objects.filter(referent=person)
    yield "Réponse", Answer.objects.filter(application__in=held).select_related("question")
    yield "Contact", Contact.objects.filter(application__in=held)
    yield "Envoi", Submission.objects.filter(application__in=held)
    yield "Preuve", Evidence.objects.filter(application__in=held).select_related("file")


def _row(one: Model) -> Row:
    told = {"n°": str(one.pk)}
    for field in one._meta.concrete_fields:
        if field.name in SECRET or isinstance(field, BinaryField) or field.primary_key:
            continue
        value = _value(one, field)
        if value not in (None, "", [], {}):
            told[str(field.verbose_name)] = value
    return told


def _value(one: Model, field: Field) -> Any:
    if isinstance(field, ForeignKey):
        related = getattr(one, field.name)
        return None if related is None else str(related)
    value = field.value_from_object(one)
    if isinstance(value, datetime):
        return value.isoformat()
    return value if isinstance(value, str | int | float | bool | list | dict | None) else str(value)
