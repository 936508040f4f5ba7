"""The letters of a convention that is being signed: one function each; the action saves what it returns."""

from datetime import datetime

from django.urls import reverse

from accounts.models import User
from applications.models import Application
from conventions.models import SignedCopy
from conventions.rules import SignatureReminder
from ecare.letters.emails import compose
from ecare.letters.models import Letter
from evidence.models import StoredFile

# Letters that ask somebody to do something about a copy: untrue as soon as another one comes, or is decided on.
CALLS_TO_ACT = ["convention_to_countersign", "signed_copy_refused", "signature_reminder"]


def signed_copy_received(copy: SignedCopy) -> Letter:
    """The receipt, to the référent who uploaded it."""
    return _to_referent("signed_copy_received", copy.application, copy=copy)


def receipt_to_come(application: Application, *, by: User, at: datetime) -> Letter:
    """The same for a copy that is still to be sent: shown before the click, never saved."""
    file = StoredFile(name="(le nom de votre fichier)", sha256="(calculée sur votre fichier)")
    return signed_copy_received(SignedCopy(application=application, file=file, by=by, at=at))


def convention_to_countersign(copy: SignedCopy, agent: User) -> Letter:
    """To an agent of the ANS; untrue once the copy is replaced or decided on."""
    path = reverse("reviews:dossier", args=[copy.application.reference])
    letter = _about("convention_to_countersign", copy.application, to=agent, path=path, copy=copy)
    letter.premise = {"signed_copy": copy.pk}
    return letter


def signed_copy_refused(copy: SignedCopy) -> Letter:
    return _to_referent("signed_copy_refused", copy.application, copy=copy)


def signature_reminder(application: Application, due: SignatureReminder, *, refused: SignedCopy | None) -> Letter:
    """Written once per threshold; asked about again when it leaves (`conventions.reminders`)."""
    letter = _to_referent("signature_reminder", application, due=due, refused=refused)
    letter.premise = {"reminder": due.key}
    letter.once = f"{application.subject}:{due.key}"
    return letter


def _to_referent(name: str, application: Application, **context) -> Letter:
    path = reverse("conventions:convention", args=[application.reference])
    return _about(name, application, to=application.referent, path=path, **context)


def _about(name: str, application: Application, *, to: User, path: str, **context) -> Letter:
    context |= {"application": application, "person": to, "path": path}
    return compose(name, to=to.email, subject=application.subject, context=context)
