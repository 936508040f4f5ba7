"""What référents ask of an agent beside their dossier: a colleague's dossier, other bank details."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse_lazy
from django.views.decorators.http import require_http_methods, require_safe

from accounts.typed import comes_back, filled, is_confirmed
from applications import people, rehearsal
from applications.models import TakeOverRequest
from ecare.lists import lay_out
from evidence import bank
from evidence.bank_forms import spoken_details
from evidence.models import BankDetails
from evidence.rules import bank_questions
from reviews.forms import BankDetailsDecisionForm, RefuseBankDetailsForm, RefuseTakeOverForm, TakeOverDecisionForm
from reviews.queue import require_reviewer
from reviews.tables import BankDetailsTable, TakeOverTable
from reviews.views import HOME

REQUESTS = ("Demandes des établissements", reverse_lazy("reviews:requests"))
OF_DOSSIER = ("by", "decided_by", "application__referent", "application__domain")
ESTABLISHMENT = ("application__establishment__ght", "application__establishment__region")


@require_safe
def requests(request):
    """The requests that wait for this agent, or, asked for, those already decided."""
    require_reviewer(request.user)
    is_decided = request.GET.get("etat") == "decidees"
    tables = [_table(request, TakeOverRequest, TakeOverTable, is_decided=is_decided)]
    if request.user.is_ans:
        tables.append(_table(request, BankDetails, BankDetailsTable, is_decided=is_decided))
    context = {"tables": tables, "is_decided": is_decided, "crumbs": [*HOME, (REQUESTS[0], "")]}
    return render(request, "reviews/requests.html", context)


def _table(request, model, table, *, is_decided: bool):
    found = model.objects.visible_to(request.user).select_related(*OF_DOSSIER, *ESTABLISHMENT)
    found = found.exclude(state=model.State.OPEN) if is_decided else found.open()
    return lay_out(table(found, is_decided=is_decided), request, length=25)


# --- a colleague's dossier ----------------------------------------------------------------------------------------
@comes_back
def accept_take_over(request, pk):
    return _decide(request, _take_over(request, pk), TakeOverDecisionForm, people.accept_take_over)


@comes_back
def refuse_take_over(request, pk):
    return _decide(request, _take_over(request, pk), RefuseTakeOverForm, people.refuse_take_over)


def _take_over(request, pk) -> TakeOverRequest:
    if request.user.is_referent:
        raise PermissionDenied
    found = TakeOverRequest.objects.visible_to(request.user).select_related(*OF_DOSSIER, *ESTABLISHMENT)
    return get_object_or_404(found, pk=pk)


# --- other bank details -------------------------------------------------------------------------------------------
@comes_back
def confirm_bank_details(request, pk):
    def act(asked, *, by):
        bank.confirm_bank_details(asked, by=by, at=request.arrived_at)

    return _decide(request, _bank_details(request, pk), BankDetailsDecisionForm, act)


@comes_back
def refuse_bank_details(request, pk):
    return _decide(request, _bank_details(request, pk), RefuseBankDetailsForm, bank.refuse_bank_details)


def _bank_details(request, pk) -> BankDetails:
    """The ARS sees them beside the dossier; the ANS decides."""
    if request.user.is_referent:
        raise PermissionDenied
    found = BankDetails.objects.visible_to(request.user).select_related(*OF_DOSSIER, *ESTABLISHMENT, "file")
    asked = get_object_or_404(found, pk=pk)
    if not request.user.is_ans:
        raise PermissionDenied
    return asked


# --- the page of a decision ---------------------------------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
def _decide(request, asked, form_class, act):
    """GET says what the click will do and whom it writes to; POST does it."""
    form = form_class(asked, filled(request))
    if is_confirmed(request, form):
        act(asked, by=request.user, **form.cleaned_data)
        messages.success(request, f"Dossier n°\u00a0{asked.application.reference}\u00a0: {form.done}")
        return redirect("reviews:requests")
    referent = asked.application.referent
    context = {
        "asked": asked,
        "application": asked.application,
        "form": form,
        "recipients": [asked.by] if asked.by == referent else [asked.by, referent],
        "letters": rehearsal.letters_of(
            lambda: act(asked, by=request.user, **form.specimen()), subject=asked.application.subject
        ),
        "has_message": "message" in form.fields,
        "crumbs": [*HOME, REQUESTS, (form.title, "")],
    }
    if isinstance(asked, TakeOverRequest):
        return render(request, "reviews/take_over.html", context)
    context["facts"] = spoken_details(bank_questions(asked.application).fields, asked.values)
    return render(request, "reviews/bank_details.html", context)
