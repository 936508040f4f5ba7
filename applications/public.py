"""Two pages to read before any account: « Vérifiez votre éligibilité » and « Préparez votre dossier »."""

from dataclasses import dataclass

from django.contrib.auth.decorators import login_not_required
from django.shortcuts import get_object_or_404, render
from django.urls import reverse_lazy
from django.views.decorators.http import require_safe

from applications import eligibility, rules
from applications.forms import Part, parts_of
from applications.models import Domain, Extension, FormVersion, questions_of
from applications.states import Step
from applications.tables import FoundTable
from ecare.lists import lay_out, searched
from establishments.models import Establishment, LegalEntity
from establishments.rules import is_finess

SHORTEST_SEARCH = 2
HOME = ("Accueil", reverse_lazy("home"))
ELIGIBILITY = ("Vérifiez votre éligibilité", reverse_lazy("eligibility"))
PREPARATION = ("Préparez votre dossier", reverse_lazy("preparations"))


# --- « Vérifiez votre éligibilité » -------------------------------------------------------------------------------
@login_not_required
@require_safe
def eligibility_search(request):
    """Name, town or number, and whoever matches in the whole directory."""
    words = searched(request)
    is_too_short = 0 < len(words) < SHORTEST_SEARCH
    context = {"words": words, "is_too_short": is_too_short, "crumbs": [HOME, ELIGIBILITY]}
    if words and not is_too_short:
        context |= _found(request, words)
    return render(request, "applications/eligibility_search.html", context)


def _found(request, words: str) -> dict:
    number = eligibility.number_in(words)
    table = lay_out(FoundTable(eligibility.search(words)), request, length=10)
    guess = "" if table.paginator.count or number else eligibility.nearest(words)
    if guess:
        table = lay_out(FoundTable(eligibility.search(guess)), request, length=10)
    has_wrong_key = len(number) == 9 and not table.paginator.count and not is_finess(number)
    return {"table": table, "guess": guess, "count": table.paginator.count, "has_wrong_key": has_wrong_key}


@login_not_required
@require_safe
def eligibility_of(request, number):
    """An establishment by its GHT code or its FINESS number, or an entity that may not apply alone, and why."""
    number = number.upper()
    known = Establishment.objects.select_related("legal_entity", "region", "ght")
    establishment = (
        known.filter(ght__code=number).first() or known.filter(ght=None, legal_entity__finess=number).first()
    )
    if establishment is None:
        return _entity(request, get_object_or_404(LegalEntity, finess=number))
    is_own = request.user.is_authenticated and request.user.establishment_id == establishment.pk
    extended = Extension.objects.days_of(establishment) if is_own else None
    context = {
        "establishment": establishment,
        "offers": eligibility.offers(Domain.objects.all(), establishment, request.arrived_at, extended),
        "crumbs": [HOME, ELIGIBILITY, (str(establishment), "")],
    }
    return render(request, "applications/eligibility.html", context)


def _entity(request, entity: LegalEntity):
    group = eligibility.group_of(entity)
    context = {
        "entity": entity,
        "group": group,
        "reason": eligibility.why_not_alone(entity, group),
        "crumbs": [HOME, ELIGIBILITY, (entity.name, "")],
    }
    return render(request, "applications/eligibility_of_entity.html", context)


# --- « Préparez votre dossier » -----------------------------------------------------------------------------------
@login_not_required
@require_safe
def preparations(request):
    """The domains whose forms may be read."""
    calendars = [rules.calendar(domain, request.arrived_at) for domain in Domain.objects.all()]
    return render(request, "applications/preparations.html", {"calendars": calendars, "crumbs": [HOME, PREPARATION]})


@dataclass(frozen=True)
class PreparedStep:
    """A step as it will be asked, from its latest published form."""

    step: Step
    form: FormVersion | None
    parts: list[Part]

    @property
    def rows(self) -> list:
        return [row for part in self.parts for row in part.rows]

    @property
    def spaces(self) -> list:
        """The evidence to gather."""
        return [row for row in self.rows if row.question.is_evidence]

    @property
    def required(self) -> int:
        """Questions that everybody must answer."""
        return sum(row.question.is_required and not row.question.shown_if for row in self.rows)


@dataclass
class Prepared:
    """Asked for its models to fill in, as a dossier of the domain would be."""

    domain: Domain


@login_not_required
@require_safe
def preparation(request, slug):
    """Every question and every document of both steps, to print and to gather."""
    domain = get_object_or_404(Domain, slug=slug)
    steps = [_prepared(domain, step) for step in Step]
    context = {
        "domain": domain,
        "prepared": Prepared(domain),
        "calendar": rules.calendar(domain, request.arrived_at),
        "steps": steps,
        "crumbs": [HOME, PREPARATION, (domain.name, "")],
    }
    return render(request, "applications/preparation.html", context)


def _prepared(domain: Domain, step: Step) -> PreparedStep:
    form = domain.forms.latest_published(step)
    return PreparedStep(step, form, parts_of(questions_of(form), {}) if form else [])
