"""Giving a dossier to a colleague, and asking for a colleague's."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse_lazy
from django.views.decorators.http import require_http_methods, require_safe

from accounts import typed
from accounts.models import User
from applications import people
from applications.actions import NotNow
from applications.models import Application, TakeOverRequest
from applications.people_forms import TakeOverForm, TransferForm
from applications.views import HOME

ACCOUNT = (("Votre compte", reverse_lazy("accounts:account")),)
TAKE_OVERS = ("Reprendre un dossier", reverse_lazy("applications:take_overs"))


@typed.comes_back
@require_http_methods(["GET", "HEAD", "POST"])
def transfer(request, pk):
    """« Transférer un dossier »: the page behind the dialog of « Vos collaborateurs »."""
    if not request.user.is_referent:
        raise PermissionDenied
    to = get_object_or_404(User.objects.colleagues_of(request.user), pk=pk)
    form = TransferForm(to, list(Application.objects.transferable_by(request.user)), typed.filled(request))
    if request.method == "POST" and form.is_valid():
        dossier = form.cleaned_data["dossier"]
        try:
            people.transfer(dossier, by=request.user, to=to, version=dossier.version)
        except NotNow as refused:
            form.add_error("dossier", str(refused))
        else:
            messages.success(
                request, f"Le dossier n° {dossier.reference} est transféré à {to}. Vous n’y avez plus accès."
            )
            return redirect("applications:dashboard")
    context = {"form": form, "colleague": to, "crumbs": [*ACCOUNT, ("Transférer un dossier", "")]}
    return render(request, "applications/transfer.html", context)


def _held_by_colleagues(request):
    """Their reference, their domain and who holds them; and what this person already asked."""
    own = TakeOverRequest.objects.filter(by=request.user)
    held = Application.objects.held_by_colleagues_of(request.user).select_related(
        "domain", "referent", "establishment__region"
    )
    return held.prefetch_related(Prefetch("take_over_requests", own, to_attr="own_requests")).order_by(
        "domain__position", "-created_at"
    )


@require_safe
def take_overs(request):
    """The dossiers of the establishment that colleagues hold."""
    if not request.user.is_referent:
        raise PermissionDenied
    context = {"dossiers": _held_by_colleagues(request), "crumbs": [*HOME, (TAKE_OVERS[0], "")]}
    return render(request, "applications/take_overs.html", context)


@typed.comes_back
@require_http_methods(["GET", "HEAD", "POST"])
def request_take_over(request, reference):
    """Why, then the verb."""
    if not request.user.is_referent:
        raise PermissionDenied
    application = get_object_or_404(_held_by_colleagues(request), reference=reference)
    form = TakeOverForm(typed.filled(request))
    if request.method == "POST" and form.is_valid():
        try:
            people.request_take_over(application, by=request.user, reason=form.cleaned_data["reason"])
        except people.AlreadyAsked as already:
            messages.info(request, str(already))
        else:
            messages.success(
                request,
                f"Votre demande de reprise du dossier n° {reference} est transmise. Vous serez prévenu de la décision.",
            )
        return redirect("applications:take_overs")
    context = {"form": form, "application": application, "crumbs": [*HOME, TAKE_OVERS, (reference, "")]}
    return render(request, "applications/request_take_over.html", context)
