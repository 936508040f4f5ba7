"""« Pilotage »: the figures of the dossiers that an agent sees, as a page and as files."""

from django.http import Http404
from django.shortcuts import render
from django.urls import reverse_lazy
from django.views.decorators.http import require_safe

from applications.models import Domain
from establishments.models import Region
from reviews.queue import require_reviewer
from steering.filters import SteeringFilter
from steering.readers.snapshot import KEPT_FOR, take
from steering.tables import Pilot
from steering.writers import csv_response

HOME = ("Dossiers", reverse_lazy("reviews:queue"))


def _pilot(request) -> Pilot:
    """For agents; a référent and an administrator have pages of their own."""
    require_reviewer(request.user)
    domains = list(Domain.objects.all())
    regions = list(request.user.regions.all() if request.user.is_ars else Region.objects.all())
    asked = SteeringFilter(request.GET, domains=domains, regions=regions)
    snapshot = take(request.user, asked.scope(), domains, at=request.arrived_at)
    return Pilot(snapshot, asked, regions)


@require_safe
def overview(request):
    pilot = _pilot(request)
    context = {
        "form": pilot.asked,
        "query": pilot.asked.query(),
        "regions": pilot.regions,
        "snapshot": pilot.snapshot,
        "kept_minutes": KEPT_FOR.seconds // 60,
        "tables": pilot.tables(),
        "crumbs": [HOME, ("Pilotage", "")],
    }
    return render(request, "steering/overview.html", context)


@require_safe
def download(request, name):
    """One table of the page, narrowed as the page is."""
    table = _pilot(request).tables().get(name)
    if table is None:
        raise Http404
    return csv_response(table, name=f"pilotage-{name}")
