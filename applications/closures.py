"""The alert to the agents when the directory closes an establishment whose dossiers are under way.

The dossiers stay; the directory knows nobody, so the alert is written here, once per closure, and asked about again
when it leaves.
"""

import logging
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef

from applications import emails, rules
from applications.models import Application
from ecare.letters.models import Letter
from establishments.models import Establishment

log = logging.getLogger(__name__)


def alert_of_closures() -> int:
    """Tell of each closure that nobody was told of yet, each in its own transaction. Returns how many were told."""
    under_way = Application.objects.under_way().filter(establishment=OuterRef("pk"))
    closed = list(Establishment.objects.filter(Exists(under_way), closed_on__isnull=False).order_by("pk"))
    told = _alerts().filter(subject__in=[one.subject for one in closed]).values_list("subject", "premise")
    marks = {(subject, premise.get("closed_on")) for subject, premise in told}
    return sum(_alert(one) for one in closed if (one.subject, one.closed_on.isoformat()) not in marks)


def _alerts():
    return Letter.objects.filter(name="establishment_closed")


def _alert(establishment: Establishment) -> bool:
    """One that cannot be written holds back no other."""
    try:
        with transaction.atomic():
            return _write(establishment.pk)
    except Exception:
        log.exception("The closure of establishment %s could not be told", establishment.pk)
        return False


def _write(pk: int) -> bool:
    list(Establishment.objects.select_for_update(of=("self",)).filter(pk=pk))  # two workers at once alert once
    establishment = Establishment.objects.select_related("legal_entity", "ght", "region").get(pk=pk)
    if establishment.closed_on is None or _is_told(establishment):
        return False  # it reopened, or another worker told it meanwhile
    dossiers = list(Application.objects.under_way().filter(establishment=pk).select_related("domain").order_by("pk"))
    readers = rules.alerted_of(establishment) if dossiers else []
    for reader in readers:
        emails.establishment_closed(establishment, dossiers, reader).save()
    return bool(readers)


def _is_told(establishment: Establishment) -> bool:
    return _alerts().about(establishment.subject).filter(premise=emails.closure_of(establishment)).exists()


def is_still_true(letter: Letter, at: datetime) -> bool:
    """Asked when the letter leaves: the directory has not reopened the establishment since."""
    pk = letter.subject.partition(":")[2]
    establishment = Establishment.objects.filter(pk=pk, closed_on__isnull=False).first()
    return establishment is not None and letter.premise == emails.closure_of(establishment)
