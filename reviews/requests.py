"""What référents ask of an agent beside their dossier: to take over a colleague's."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse_lazy
from django.views.decorators.http import require_http_methods, require_safe

from applications import people
from applications.models import TakeOverRequest
from ecare.lists import lay_out
from reviews.forms import RefuseTakeOverForm, TakeOverDecisionForm
from reviews.tables import TakeOverTable
from reviews.views import HOME

REQUESTS = ("Demandes des établissements", reverse_lazy("reviews:requests"))


def _require_reviewer(user) -> None:
    if not (user.is_ars or user.is_ans):
        raise PermissionDenied


@require_safe
def requests(request):
    """The requests that wait for this agent, or, asked for, those already decided."""
    _require_reviewer(request.user)
    found = TakeOverRequest.objects.visible_to(request.user).select_related(
        "by", "decided_by", "application__referent", "application__domain", "application__establishment__ght"
    )
    is_decided = request.GET.get("etat") == "decidees"
    found = found.exclude(state=TakeOverRequest.State.OPEN) if is_decided else found.open()
    table = lay_out(TakeOverTable(found, is_decided=is_decided), request, length=25)
    context = {"table": table, "is_decided": is_decided, "crumbs": [*HOME, (REQUESTS[0], "")]}
    return render(request, "reviews/requests.html", context)


def accept_take_over(request, pk):
    return _decide(request, pk, TakeOverDecisionForm, people.accept_take_over)


def refuse_take_over(request, pk):
    return _decide(request, pk, RefuseTakeOverForm, people.refuse_take_over)


@require_http_methods(["GET", "HEAD", "POST"])
def _decide(request, pk, form_class, act):
    """GET says what the click will do and whom it writes to; POST does it."""
    found = TakeOverRequest.objects.visible_to(request.user).select_related(
        "by", "application__referent", "application__domain", "application__establishment__region"
    )
    if request.user.is_referent:
        raise PermissionDenied
    asked = get_object_or_404(found, pk=pk)
    form = form_class(asked, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        act(asked, by=request.user, **form.cleaned_data)
        messages.success(request, f"Dossier n° {asked.application.reference} : {form.done}")
        return redirect("reviews:requests")
    context = {
        "asked": asked,
        "application": asked.application,
        "form": form,
        "recipients": [asked.by, asked.application.referent],
        "crumbs": [*HOME, REQUESTS, (form.title, "")],
    }
    return render(request, "reviews/take_over.html", context)
