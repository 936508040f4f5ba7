"""« Chiffres »: what anybody may read of the programme, before any account."""

from django.contrib.auth.decorators import login_not_required
from django.http import Http404
from django.shortcuts import get_object_or_404, render
from django.urls import reverse, reverse_lazy
from django.views.decorators.http import require_safe

from applications.models import Domain
from establishments.models import Region
from steering.publications import Publication, of_domains
from steering.readers.snapshot import PUBLISHED_FOR, take_public
from steering.rules import ROUNDED_TO
from steering.writers import csv_response

HOME = ("Accueil", reverse_lazy("home"))
FIGURES = ("Chiffres", reverse_lazy("steering:publications"))
RULE = {"rounded_to": ROUNDED_TO, "most_off": ROUNDED_TO - 1, "kept_minutes": PUBLISHED_FOR.seconds // 60}


@login_not_required
@require_safe
def publications(request):
    """The domains, but those for trial."""
    snapshot = take_public(at=request.arrived_at)
    domains = list(Domain.objects.filter(is_trial=False))
    addresses = [reverse("steering:publication", args=[domain.slug]) for domain in domains]
    context = {"table": of_domains(snapshot, domains, addresses), "snapshot": snapshot, "crumbs": [HOME, FIGURES]}
    return render(request, "steering/publications.html", context | RULE)


def _publication(request, slug: str) -> Publication:
    domain = get_object_or_404(Domain, slug=slug, is_trial=False)
    return Publication(take_public(at=request.arrived_at), domain, list(Region.objects.all()))


@login_not_required
@require_safe
def publication(request, slug):
    """One domain, by region, by kind and week by week."""
    found = _publication(request, slug)
    context = {
        "domain": found.domain,
        "snapshot": found.snapshot,
        "tables": found.tables(),
        "crumbs": [HOME, FIGURES, (found.domain.name, "")],
    }
    return render(request, "steering/publication.html", context | RULE)


@login_not_required
@require_safe
def download_published(request, slug, name):
    table = _publication(request, slug).tables().get(name)
    if table is None:
        raise Http404
    return csv_response(table, name=f"chiffres-{slug}-{name}")
