"""« Prolongations »: who has more time and why. The ANS gives it and takes it back, the ARS reads."""

import operator
from dataclasses import dataclass
from datetime import date

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse_lazy
from django.views.decorators.http import require_http_methods, require_safe

from accounts.typed import comes_back, filled, is_confirmed
from applications import extensions as verbs
from applications import rehearsal
from applications.actions import NotNow
from applications.models import Application, Domain, Extension
from applications.more_time import ordinary_last_day, told_of_extension, withdrawal_fault
from applications.rules import later
from applications.states import Step
from ecare.french import paris_date
from ecare.lists import lay_out, searched
from establishments.models import Establishment
from reviews.extension_forms import (
    EstablishmentTable,
    ExtensionTable,
    GiveExtensionForm,
    WithdrawExtensionForm,
)
from reviews.queue import require_reviewer
from reviews.views import HOME

EXTENSIONS = ("Prolongations", reverse_lazy("reviews:extensions"))
FIND = ("Choisir un établissement", reverse_lazy("reviews:find_establishment"))
SHORTEST_SEARCH = 2
KNOWN = ("establishment__legal_entity", "establishment__ght", "domain", "by")


def _require_ans(user) -> None:
    if not user.is_ans:
        raise PermissionDenied


@require_safe
def extensions(request):
    """All of them, the latest first; of the agent's regions for an ARS."""
    require_reviewer(request.user)
    words = searched(request)
    found = Extension.objects.visible_to(request.user).matching(words).select_related(*KNOWN)
    table = ExtensionTable(found, is_search=bool(words), offers_withdrawal=request.user.is_ans)
    context = {"table": lay_out(table, request, length=25), "words": words, "crumbs": [*HOME, (EXTENSIONS[0], "")]}
    return render(request, "reviews/extensions.html", context)


@require_safe
def find_establishment(request):
    """By name, town, FINESS number or GHT code."""
    _require_ans(request.user)
    words = searched(request)
    is_too_short = 0 < len(words) < SHORTEST_SEARCH
    context = {"words": words, "is_too_short": is_too_short, "crumbs": [*HOME, EXTENSIONS, (FIND[0], "")]}
    if words and not is_too_short:
        found = Establishment.objects.matching(words).select_related("legal_entity", "ght", "region")
        context["table"] = lay_out(EstablishmentTable(found.order_by("name", "pk")), request, length=10)
    return render(request, "reviews/find_establishment.html", context)


@dataclass(frozen=True)
class Line:
    """One step of a domain for an establishment: until when, and why it cannot be lengthened."""

    domain: Domain
    step: Step
    until: date | None
    is_extended: bool
    dossier: Application | None
    fault: str


@require_safe
def extensions_of(request, pk):
    """The last days of an establishment in each domain, to choose which one to lengthen."""
    _require_ans(request.user)
    establishment = _establishment(pk)
    held = Application.objects.in_place().filter(establishment=establishment).select_related("referent")
    dossiers = {dossier.domain_id: dossier for dossier in held}
    extended = Extension.objects.days_of(establishment)
    lines = [
        _line(domain, establishment, step, dossiers.get(domain.pk), extended, request.arrived_at)
        for domain in Domain.objects.all()
        for step in Step
    ]
    context = {
        "establishment": establishment,
        "lines": lines,
        "crumbs": [*HOME, EXTENSIONS, FIND, (str(establishment), "")],
    }
    return render(request, "reviews/extensions_of.html", context)


def _line(domain, establishment, step, dossier, extended, at) -> Line:
    known, ordinary = extended.get((domain.pk, step)), ordinary_last_day(domain, dossier, step)
    until = later(ordinary, known)
    fault = verbs.fault_given(domain, establishment, dossier, step=step, known=known, until=None, at=at)
    return Line(domain, step, until, until != ordinary, dossier, fault)


def _establishment(pk) -> Establishment:
    known = Establishment.objects.select_related("legal_entity", "ght", "region")
    return get_object_or_404(known, pk=pk)


@comes_back
@require_http_methods(["GET", "HEAD", "POST"])
def give_extension(request, pk, slug, step):
    """GET says until when it is now and whom the click writes to; POST gives it."""
    _require_ans(request.user)
    if step not in Step.values:
        raise Http404
    establishment, domain = _establishment(pk), get_object_or_404(Domain, slug=slug)
    about = {"domain": domain, "establishment": establishment, "step": Step(step), "at": request.arrived_at}
    dossier = verbs.dossier_of(domain, establishment)
    if fault := verbs.fault_of(domain, establishment, dossier, step=Step(step), until=None, at=request.arrived_at):
        raise NotNow(fault)
    extended = Extension.objects.days_of(establishment)
    line = _line(domain, establishment, Step(step), dossier, extended, request.arrived_at)
    form = GiveExtensionForm(filled(request), dossier=dossier, last=line.until, **about)
    if is_confirmed(request, form):
        typed = form.cleaned_data
        verbs.give_extension(by=request.user, until=typed["until"], reason=typed["message"], **about)
        messages.success(request, f"{establishment} : date limite prolongée au {paris_date(typed['until'])}.")
        return redirect("reviews:extensions")
    context = about | {
        "dossier": dossier,
        "line": line,
        "form": form,
        "recipients": told_of_extension(establishment, dossier),
        "letters": rehearsal.letters_of(
            lambda: verbs.give_extension(by=request.user, **about, **form.specimen()),
            subject=dossier.subject if dossier else operator.attrgetter("subject"),
        ),
        "letters_note": form.letters_note,
        "has_message": True,
        "crumbs": [*HOME, EXTENSIONS, ("Prolonger une date limite", "")],
    }
    return render(request, "reviews/give_extension.html", context)


@comes_back
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw_extension(request, pk):
    """While it was not used, with a reason."""
    require_reviewer(request.user)
    found = Extension.objects.visible_to(request.user).select_related(*KNOWN)
    extension = get_object_or_404(found, pk=pk)
    _require_ans(request.user)
    dossier = verbs.dossier_of(extension.domain, extension.establishment)
    if fault := withdrawal_fault(extension, dossier):
        raise NotNow(fault)
    form = WithdrawExtensionForm(filled(request))
    if is_confirmed(request, form):
        verbs.withdraw_extension(
            extension, by=request.user, message=form.cleaned_data["message"], at=request.arrived_at
        )
        messages.success(request, f"{extension.establishment} : la prolongation est retirée.")
        return redirect("reviews:extensions")
    context = {
        "extension": extension,
        "dossier": dossier,
        "form": form,
        "recipients": told_of_extension(extension.establishment, dossier),
        "letters": rehearsal.letters_of(
            lambda: verbs.withdraw_extension(extension, by=request.user, at=request.arrived_at, **form.specimen()),
            subject=(dossier or extension).subject,
        ),
        "has_message": True,
        "crumbs": [*HOME, EXTENSIONS, ("Retirer une prolongation", "")],
    }
    return render(request, "reviews/withdraw_extension.html", context)
