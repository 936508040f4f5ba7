"""Dossiers that were begun and never sent: their référent is warned, then they are erased with their files."""

from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Exists, Max, OuterRef, QuerySet

from applications import emails
from applications.actions import lock
from applications.models import Answer, Application, TakeOverRequest
from applications.states import State
from ecare.journal.actions import record
from ecare.letters.models import Letter
from ecare.letters.retention import erase_words
from evidence import vault
from evidence.arrivals import drop
from evidence.models import Container, Evidence, StoredFile, Upload

BATCH = 100


def forget(at: datetime) -> dict[str, int]:
    """How many were warned about, and how many are gone."""
    return {"drafts warned": warn(at), "drafts": sum(_erase(one, at) for one in _forgotten(at, 0)[:BATCH])}


def _forgotten(at: datetime, sooner: int) -> QuerySet[Application]:
    """Drafts in which nothing was typed for as long as the settings say, less so many days. One that drew a container
    or was sent at least once has a history that counts."""
    before = at - timedelta(days=settings.DRAFTS_KEPT_DAYS - sooner)
    found = Application.objects.filter(state=State.DRAFT, sendings=0, created_at__lt=before)
    recent = Answer.objects.filter(application=OuterRef("pk"), updated_at__gte=before)
    added = Evidence.objects.filter(application=OuterRef("pk"), file__created_at__gte=before)
    drawn = Container.objects.filter(application=OuterRef("pk"))
    found = found.exclude(Exists(recent)).exclude(Exists(added)).exclude(Exists(drawn))
    return found.filter(moved_at__lt=before).order_by("pk")


def _warning(application: Application) -> str:
    """One for each time that somebody stopped typing."""
    typed = Answer.objects.filter(application=application).aggregate(last=Max("updated_at"))["last"]
    last = max(filter(None, [application.created_at, application.moved_at, typed]))
    return f"draft_expiring {application.subject} {last:%Y-%m-%d}"


def warn(at: datetime) -> int:
    warned = 0
    for application in _forgotten(at, settings.WARNED_DAYS).select_related("referent", "domain")[:BATCH]:
        key = _warning(application)
        if Letter.objects.filter(once=key).exists():
            continue
        letter = emails.draft_expiring(application, days=settings.WARNED_DAYS)
        letter.once = key
        try:
            with transaction.atomic():
                letter.save()
        except IntegrityError:
            continue  # another worker wrote it meanwhile
        warned += 1
    return warned


@transaction.atomic
def _erase(application: Application, at: datetime) -> bool:
    """With its answers, its contacts and its files; its history says that it was, and when it went."""
    found = lock(application)
    before = at - timedelta(days=settings.WARNED_DAYS)
    is_due = _forgotten(at, 0).filter(pk=found.pk).exists()
    if not is_due or not Letter.objects.filter(once=_warning(found), created_at__lte=before).exists():
        return False
    for upload in Upload.objects.filter(application=found):
        drop(upload)
    files = StoredFile.objects.filter(evidence__application=found)
    stored = dict(files.values_list("pk", "storage_name"))
    Evidence.objects.filter(application=found).update(replaces=None)
    Evidence.objects.filter(application=found).delete()
    StoredFile.objects.filter(pk__in=stored).delete()
    for name in stored.values():
        transaction.on_commit(partial(vault.discard, name))
    TakeOverRequest.objects.filter(application=found).delete()
    record(found.subject, "forget_draft", data={"files": len(stored)})
    erase_words(Letter.objects.about(found.subject))
    found.delete()
    return True
