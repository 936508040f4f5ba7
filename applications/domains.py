"""The verbs of a domain's administrator: change it, replace its scale. The journal keeps who, before and after."""

import hashlib
import json

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.forms import model_to_dict

from accounts.models import User
from applications.actions import NotNow
from applications.definitions import rows_of
from applications.models import Domain
from ecare.journal.actions import record

STALE = "Ce domaine a été modifié depuis l’affichage de cette page. Relisez-le, puis recommencez vos modifications."


def mark_of(domain: Domain) -> str:
    """A digest of what a page shows of a domain."""
    return hashlib.sha256(json.dumps(_facts(domain), sort_keys=True).encode()).hexdigest()


@transaction.atomic
def save_domain(domain: Domain, *, by: User, shown: str, consequences: list[str]) -> Domain:
    """Keep what was typed over what the page showed (`shown`, its mark), and tell the journal. Raises NotNow."""
    former = Domain.objects.select_for_update().filter(pk=domain.pk).first() if domain.pk else None
    if former is not None and mark_of(former) != shown:
        raise NotNow(STALE)
    domain.save()
    before, after = (_facts(former) if former else {}), _facts(domain)
    changes = {name: [before.get(name), value] for name, value in after.items() if before.get(name) != value}
    if changes:
        data = {"changes": changes} | ({"consequences": consequences} if consequences else {})
        record(f"domain:{domain.slug}", "change_domain" if former else "add_domain", actor=by.actor, data=data)
    return domain


def tell_scale(domain: Domain, *, by: User, before: list[list]) -> None:
    """In the transaction in which the page changed brackets one by one."""
    after = rows_of(domain)
    if after != before:
        record(f"domain:{domain.slug}", "change_scale", actor=by.actor, data={"before": before, "after": after})


def _facts(domain: Domain) -> dict:
    """As the journal keeps them: dates as text."""
    return json.loads(json.dumps(model_to_dict(domain), cls=DjangoJSONEncoder))
