"""The verbs of the bank details after acceptance: asked for by the référent with a new RIB, decided by the ANS."""

from datetime import datetime, timedelta

import rules as permissions
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from applications import rules as law
from applications.actions import NotNow, lock, write_answer
from applications.models import Application, Question, values_of
from ecare.journal.actions import record
from ecare.letters.actions import cancel
from evidence import emails
from evidence.actions import refuse_what_was_purged, storing
from evidence.holders import HOLDERS, Place
from evidence.models import BankDetails, Evidence
from evidence.rules import RIB_FORMATS, RIB_MAX_BYTES, bank_questions

MOST_A_DAY = 5  # requests of one dossier: each keeps its RIB and writes to the ANS
TOO_MANY = (
    f"Ce dossier a déjà {MOST_A_DAY} demandes en un jour. Vérifiez vos coordonnées bancaires et recommencez demain, "
    "ou écrivez à l’équipe support."
)
NOT_NOW = (
    "Les coordonnées bancaires se changent ici entre l’acceptation de la candidature et le versement. "
    "Avant l’acceptation, modifiez le formulaire de candidature."
)


UNREAD = "L’antivirus n’a pas encore analysé le RIB de cette demande : attendez de pouvoir le lire pour la confirmer."
WITHHELD = "Personne ne peut lire le RIB de cette demande : refusez-la, ou attendez que le référent en fasse une autre."
PURGED = "Le RIB de cette demande est purgé : refusez-la, le référent en fera une autre."


def change_bank_details(application: Application, *, by: User, values: dict[str, str], upload) -> BankDetails:
    """Ask the ANS for other bank details; a request that waits gives way. Raises Refused (the file), NotNow."""
    rib = bank_questions(application).rib
    formats, max_bytes = (rib.formats, rib.max_bytes) if rib else (RIB_FORMATS, RIB_MAX_BYTES)
    _check(application, by=by)
    with storing(upload, formats=formats, max_bytes=max_bytes, by=by) as stored:
        application = lock(application)
        _check(application, by=by)
        refuse_what_was_purged(stored, application)
        asked_today = BankDetails.objects.filter(application=application, at__gt=timezone.now() - timedelta(days=1))
        if asked_today.count() >= MOST_A_DAY:
            raise NotNow(TOO_MANY)
        waiting = BankDetails.objects.open().filter(application=application)
        waiting.update(state=BankDetails.State.REPLACED, decided_at=timezone.now())
        cancel(application.subject, ["bank_details_changed"])
        asked = BankDetails.objects.create(application=application, by=by, values=values, file=stored)
        before = values_of(application, application.candidature_form)
        _note(asked, "change_bank_details", by=by, before={key: masked(before.get(key, "")) for key in values})
        for person in (application.referent, *law.readers_of(application, state="accepted")):
            emails.bank_details_changed(asked, person).save()
    return asked


def _check(application: Application, *, by: User) -> None:
    if not permissions.test_rule("act_as_referent", by, application):
        raise PermissionDenied
    if not law.may_change_bank_details(application):
        raise NotNow(NOT_NOW)


@transaction.atomic
def confirm_bank_details(asked: BankDetails, *, by: User, at: datetime) -> None:
    """They become the dossier's; what was sent stays as it was sent. Raises NotNow or PermissionDenied."""
    application, asked = _lock_request(asked, by=by)
    if asked.file.is_purged:
        raise NotNow(PURGED)
    if not asked.file.is_readable:
        raise NotNow(UNREAD if asked.file.is_awaiting_scan else WITHHELD)
    questions = bank_questions(application)
    for question in questions.fields:
        if question.key in asked.values:
            write_answer(application, question, asked.values[question.key])
    if questions.rib is not None:
        _put_in_its_space(asked, application, questions.rib, at=at)
    _decide(asked, BankDetails.State.CONFIRMED, by=by)
    _note(asked, "confirm_bank_details", by=by)
    for person in {asked.by, application.referent}:
        emails.bank_details_confirmed(asked, person).save()


@transaction.atomic
def refuse_bank_details(asked: BankDetails, *, by: User, message: str) -> None:
    """Nothing changes, and the référent reads why. Raises NotNow or PermissionDenied."""
    application, asked = _lock_request(asked, by=by)
    _decide(asked, BankDetails.State.REFUSED, by=by, message=message)
    _note(asked, "refuse_bank_details", by=by, message=message)
    for person in {asked.by, application.referent}:
        emails.bank_details_refused(asked, person).save()


def _lock_request(asked: BankDetails, *, by: User) -> tuple[Application, BankDetails]:
    """The dossier first, as every verb locks it; then the request as it is now."""
    application = lock(asked.application)
    asked = BankDetails.objects.select_related("by", "decided_by", "file").get(pk=asked.pk)
    asked.application = application
    if not permissions.test_rule("act_as_ans", by, application):
        raise PermissionDenied
    if not asked.is_open:
        who = f" par {asked.decided_by}" if asked.decided_by else ""
        raise NotNow(f"Cette demande n’est plus en attente : {asked.get_state_display().lower()}{who}.")
    if not law.may_change_bank_details(application):
        raise NotNow("Ce dossier est versé ou terminé : ses coordonnées bancaires ne changent plus.")
    return application, asked


def _put_in_its_space(asked: BankDetails, application: Application, rib: Question, *, at: datetime) -> None:
    """The new RIB in the place of the former one, which stays in history."""
    former = Evidence.objects.filter(application=application, question=rib).current()
    former.update(withdrawn_after=application.sendings, withdrawn_at=at)
    Evidence.objects.create(application=application, question=rib, file=asked.file, added_after=application.sendings)
    file = asked.file
    value = [{"id": str(file.pk), "name": file.name, "size": file.size, "sha256": file.sha256}]
    write_answer(application, rib, value)


def _decide(asked: BankDetails, state: str, *, by: User, message: str = "") -> None:
    asked.state, asked.decided_by, asked.decided_at, asked.message = state, by, timezone.now(), message
    asked.save(update_fields=["state", "decided_by", "decided_at", "message"])


def reopen(asked: BankDetails, application: Application, at: datetime) -> Place | None:
    """Of a request whose RIB is infected: another one takes its place, as long as the account may change."""
    if asked.state not in (BankDetails.State.OPEN, BankDetails.State.CONFIRMED):
        return None
    path = reverse("evidence:bank_details", args=[application.reference])
    return Place(HOLDERS["bank_details"], path, is_open=law.may_change_bank_details(application))


def note_download(asked: BankDetails, *, by: User) -> None:
    """Each download of a RIB leaves a line in the dossier's history."""
    _note(asked, "download_bank_details", by=by)


def _note(asked: BankDetails, verb: str, *, by: User, message: str = "", **more) -> None:
    """The journal tells numbers apart without holding them."""
    after = {key: masked(value) for key, value in asked.values.items()}
    data = {"request": asked.pk, "after": after, "sha256": asked.file.sha256} | more
    record(asked.application.subject, verb, actor=by.actor, message=message, data=data)


def masked(value: str) -> str:
    """FR76…0189: its beginning and its end."""
    return f"{value[:4]}…{value[-4:]}" if len(value) > 11 else value
