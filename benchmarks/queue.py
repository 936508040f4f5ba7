"""What the queue costs with many dossiers: its first page, page 200, filtered and sorted, and searched; for the ANS and
for an ARS. CPU seconds are this process's own: they hold SQLite's work, not that of a PostgreSQL server."""

import os
import platform
import re
from html import unescape

from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.models import User
from applications.models import Application, Domain
from benchmarks.dossiers import fill
from benchmarks.steering import ROUNDS, signed_in, timed

NEXT = re.compile(r'fr-pagination__link--next[^>]*href="([^"]+)"')
FAR = 200


def main(number: int = 100_000) -> None:
    fill(number)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    print(f"{connection.vendor}, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}")
    print(f"{Application.objects.count()} dossiers")
    print(f"{'':60}  wall s   CPU s  (medians of {ROUNDS})")
    ars = User.objects.create(username="ars", email="ars@mesure.example", role="ars")
    ars.regions.set(["76"])
    _time_views("ANS", signed_in(User.objects.create(username="ans", email="ans@mesure.example", role="ans")))
    _time_views("ARS of one region", signed_in(ars))


def _time_views(who: str, client: Client) -> None:
    domain, some = Domain.objects.first(), Application.objects.order_by("pk")[7]
    views = {
        "first page": "",
        "all states": "?etat=tous",
        "filtered and sorted": f"?etat=tous&domaine={domain.slug}&type=private&attente=30&sort=-moved_at",
        "sorted by establishment": "?etat=tous&sort=establishment",
        "a reference": f"?etat=tous&q={some.reference}",
        "a FINESS number": f"?etat=tous&q={some.establishment.legal_entity.finess}",
        f"page {FAR} of all states": _far(client, "?etat=tous"),
    }
    for name, query in views.items():
        address = f"{reverse('reviews:queue')}{query}"
        timed(f"{who}: {name}", lambda address=address: client.get(address))


def _far(client: Client, query: str) -> str:
    """The address of a far page, link by link; of the last one where there are fewer."""
    for _ in range(FAR - 1):
        found = NEXT.search(client.get(f"{reverse('reviews:queue')}{query}").text)
        if found is None:
            break
        query = unescape(found[1])
    return query
