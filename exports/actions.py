"""The verbs of an export: asked for; claimed by a worker, carried on, finished or failed; fetched, forgotten.

A worker holds an export under a lease that it renews as it goes. When it dies the lease runs out and another worker
starts anew: what was being written lay in an unnamed file and is gone with it, and the name under which the bytes were
about to rest stands in the row, so that nothing half remains there either.
"""

import logging
import uuid
from datetime import datetime, timedelta

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import User
from applications.actions import NotNow
from applications.models import Application
from ecare.journal.actions import SYSTEM, record
from ecare.letters.actions import cancel as cancel_letters
from evidence import vault
from evidence.vault import Spool
from exports import emails, rules
from exports.models import Export

logger = logging.getLogger(__name__)
LEASE = timedelta(minutes=2)
PAUSE = timedelta(minutes=1)  # after a fault, before another attempt
SLOWEST_STORE = 4 * 1024 * 1024  # bytes a second: what a lease allows for while the bytes are put away
FAULT = (
    "La préparation a échoué. Demandez à nouveau cet export ; si l’échec se répète, écrivez à l’équipe support en "
    "indiquant son numéro."
)
Kind, State = Export.Kind, Export.State


class Lost(Exception):
    """The export is no longer this worker's: it was cancelled, or the lease ran out and another one has it."""


# --- ask ----------------------------------------------------------------------------------------------------------
@transaction.atomic
def ask(kind: str, *, what: str, label: str, by: User, at: datetime) -> Export:
    """Put an export into the line; the same request within a minute is the same row. Raises NotNow."""
    by = User.objects.select_for_update(of=("self",)).get(pk=by.pk)  # two clicks at once are one after the other
    if not rules.may_export(by) or (kind == Kind.DOMAIN_ARCHIVE and not rules.may_archive(by)):
        raise PermissionDenied
    own = Export.objects.filter(asked_by=by)
    same = own.filter(kind=kind, what=what, created_at__gt=at - rules.SAME_REQUEST)
    known = same.filter(state__in=[*Export.UNFINISHED, State.READY]).first()
    if known is not None:
        return known
    if own.unfinished().count() >= rules.MOST_UNFINISHED:
        raise NotNow(
            f"{rules.MOST_UNFINISHED} exports sont déjà en préparation. "
            "Attendez que l’un d’eux soit prêt, ou annulez-en un, puis recommencez."
        )
    export = Export.objects.create(asked_by=by, kind=kind, what=what, label=label[:300], created_at=at)
    _note(export, "ask_export", by=by)
    for old in own.kept().order_by("-finished_at").values_list("pk", flat=True)[rules.MOST_KEPT :]:
        _expire(old, at)
    return export


def of_dossier(kind: str, application: Application, *, by: User, at: datetime) -> Export:
    """« Dossier en PDF », « Pièces en ZIP »."""
    label = f"{application.reference}, {application.establishment}"
    return ask(kind, what=application.reference, label=label, by=by, at=at)


def _note(export: Export, verb: str, *, by: User | None = None, data: dict | None = None) -> None:
    data = {"kind": export.kind, "label": export.label} | (data or {})
    record(export.subject, verb, actor=by.actor if by else SYSTEM, data=data)


@transaction.atomic
def cancel(export: Export, *, by: User) -> None:
    """Before it is ready; whoever is building it stops at their next step. Raises NotNow."""
    export = Export.objects.select_for_update(of=("self",)).get(pk=export.pk)
    if export.asked_by_id != by.pk:
        raise PermissionDenied
    if not export.is_unfinished:
        raise NotNow(f"Cet export n’est plus en préparation : {export.get_state_display().lower()}.")
    _end(export, State.CANCELLED, at=timezone.now())
    _note(export, "cancel_export", by=by)


def _end(export: Export, state: str, *, at: datetime, error: str = "") -> None:
    """Without bytes; called with the row locked."""
    left, export.storage_name = export.storage_name, ""
    export.state, export.error, export.finished_at = state, error[:300], export.finished_at or at
    export.lease = export.leased_until = None
    export.save()
    if left:
        transaction.on_commit(lambda: vault.discard_unfinished(left))


# --- build: the steps of a worker ---------------------------------------------------------------------------------
def claim(at: datetime) -> Export | None:
    """Take the first export that waits in a lane where none is being built."""
    if not Export.objects.unfinished().filter(Q(leased_until=None) | Q(leased_until__lte=at)).exists():
        return None
    with transaction.atomic():
        line = list(Export.objects.unfinished().select_for_update(of=("self",)).order_by("created_at", "pk"))
        busy = {export.lane for export in line if export.is_taken(at) and export.lease}
        export = next((one for one in line if not one.is_taken(at) and one.lane not in busy), None)
        if export is None:
            return None
        if export.attempts >= rules.MOST_ATTEMPTS:
            _fail(export, FAULT, at=at)
            return None
        left, export.storage_name = export.storage_name, ""
        export.state, export.lease, export.leased_until = State.BUILDING, uuid.uuid4(), at + LEASE
        export.started_at, export.attempts, export.done, export.total = at, export.attempts + 1, 0, 0
        export.save()
        if left:
            transaction.on_commit(lambda: vault.discard_unfinished(left))
    return export


def carry_on(export: Export, *, done: int, total: int, lease: timedelta = LEASE) -> None:
    """A sign of life, and how far it is. Raises Lost."""
    until = timezone.now() + lease
    export.done, export.total = min(done, total), total
    if not _ours(export).update(done=export.done, total=total, leased_until=until):
        raise Lost


def _ours(export: Export):
    return Export.objects.filter(pk=export.pk, state=State.BUILDING, lease=export.lease)


def finish(
    export: Export, spool: Spool, *, name: str, size: int, sha256: str, by: User, regions: list[str], remark: str = ""
) -> None:
    """Put the sealed bytes away and tell whoever asked. `by`: as they were when it was built. Raises Lost or NotNow."""
    place = vault.new_name()
    lease = LEASE + timedelta(seconds=size // SLOWEST_STORE)
    if not _ours(export).update(storage_name=place, leased_until=timezone.now() + lease):
        raise Lost
    vault.keep(spool, name=place)
    try:
        with transaction.atomic():
            now = timezone.now()
            kept = _ours(export).select_for_update(of=("self",)).select_related("asked_by").first()
            if kept is None or kept.storage_name != place:
                raise Lost
            if not rules.may_export(kept.asked_by):
                raise NotNow(rules.NO_LONGER_AGENT)
            kept.state, kept.lease, kept.leased_until = State.READY, None, None
            kept.finished_at, kept.expires_at = now, now + rules.KEPT
            kept.name, kept.size, kept.sha256, kept.error = name, size, sha256, remark[:300]
            kept.role, kept.regions, kept.done = by.role, sorted(regions), kept.total
            kept.save()
            _note(kept, "build_export", data={"size": size, "sha256": sha256})
            emails.export_ready(kept).save()
    except (Lost, NotNow):
        vault.discard(place)
        raise


@transaction.atomic
def fail(export: Export, sentence: str) -> None:
    """For good, with what to do. Raises Lost."""
    found = _ours(export).select_for_update(of=("self",)).first()
    if found is None:
        raise Lost
    _fail(found, sentence, at=timezone.now())


def _fail(export: Export, sentence: str, *, at: datetime) -> None:
    _end(export, State.FAILED, at=at, error=sentence)
    _note(export, "fail_export")
    if export.asked_by.is_active:
        emails.export_failed(export).save()


@transaction.atomic
def give_back(export: Export) -> None:
    """After a fault: another attempt in a while, or the end when there were enough."""
    found = _ours(export).select_for_update(of=("self",)).first()
    if found is None:
        return
    if found.attempts >= rules.MOST_ATTEMPTS:
        _fail(found, FAULT, at=timezone.now())
        return
    left, found.storage_name = found.storage_name, ""
    found.lease, found.leased_until = None, timezone.now() + PAUSE
    found.save()
    if left:
        transaction.on_commit(lambda: vault.discard_unfinished(left))


# --- whoever fetches it -------------------------------------------------------------------------------------------
@transaction.atomic
def check_download(export: Export, *, by: User, at: datetime) -> None:
    """Whether it may be handed over now: what they may see is asked again. Raises NotNow."""
    if export.state != State.READY or export.expires_at is None or export.expires_at <= at:
        raise NotNow(f"Cet export n’est pas disponible : {export.get_state_display().lower()}. Demandez-en un nouveau.")
    if not rules.is_still_theirs(by, export):
        raise NotNow(rules.NO_LONGER_THEIRS)
    if rules.tells_of_a_purged_file(export) or rules.tells_of_a_withheld_file(by, export):
        raise NotNow(rules.FILE_WITHDRAWN)
    if rules.tells_of_a_quarantined_file(export):
        raise NotNow(rules.FILE_INFECTED)


@transaction.atomic
def note_download(export: Export, *, by: User) -> None:
    """Each download leaves a line in the export's history, and in the dossier's when it is of one."""
    Export.objects.filter(pk=export.pk).update(downloads=F("downloads") + 1)
    data = {"size": export.size, "sha256": export.sha256}
    _note(export, "download_export", by=by, data=data)
    if export.is_of_dossier:
        data |= {"kind": export.kind, "export": str(export.number)}
        record(f"application:{export.what}", "download_export", actor=by.actor, data=data)


# --- upkeep -------------------------------------------------------------------------------------------------------
def forget(*, at: datetime) -> int:
    """The bytes go of exports that expired, and of those that hold a file purged, or found infected, since; their rows
    and their log stay. Returns how many."""
    expired = list(Export.objects.kept().filter(expires_at__lte=at).values_list("pk", flat=True))
    living = Export.objects.kept().filter(expires_at__gt=at).select_related("asked_by")
    withdrawn = [
        one.pk for one in living if rules.tells_of_a_purged_file(one) or rules.tells_of_a_quarantined_file(one)
    ]
    return sum(_expire(pk, at) for pk in [*expired, *withdrawn])


@transaction.atomic
def _expire(pk, at: datetime) -> bool:
    export = Export.objects.kept().select_for_update(of=("self",)).filter(pk=pk).first()
    if export is None:
        return False
    cancel_letters(export.subject, ["export_ready"])
    _end(export, State.EXPIRED, at=at)
    _note(export, "expire_export")
    return True
