"""« Coordonnées bancaires » after acceptance: the référent's page, and the RIB for those who see the dossier."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from accounts import typed
from applications import rules as law
from applications.actions import NotNow
from applications.models import Application, values_of
from applications.views import HOME, own_dossier
from ecare.metrics import count_refused_upload
from ecare.receiving import receives
from evidence import bank
from evidence.bank_forms import BankDetailsForm, spoken_details
from evidence.files import Refused
from evidence.models import BankDetails
from evidence.rules import bank_questions
from evidence.uploads import MOST_BYTES
from evidence.views import sealed_response


@receives("referent", upload=MOST_BYTES)
@typed.comes_back
@require_http_methods(["GET", "HEAD", "POST"])
def bank_details(request, reference):
    """What is in force, what is asked for, what was decided; and the form, while it may change."""
    application = own_dossier(request, reference)
    if not law.has_bank_details_page(application):
        raise NotNow(bank.NOT_NOW)
    values = values_of(application, application.candidature_form)
    form = BankDetailsForm(bank_questions(application), values, typed.filled(request), request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            bank.change_bank_details(
                application, by=request.user, values=form.details(), upload=form.cleaned_data["upload"]
            )
        except Refused as refusal:
            count_refused_upload(refusal)
            form.add_error("upload", str(refusal))
        else:
            messages.success(request, "Votre demande est transmise à l’ANS. Vous serez prévenu de sa décision.")
            return redirect("evidence:bank_details", reference)
    return render(request, "evidence/bank_details.html", _page(application, values, form))


def _page(application: Application, values: dict, form: BankDetailsForm) -> dict:
    address = reverse("applications:detail", args=[application.reference])
    asked = application.bank_details.select_related("file", "decided_by", "by")
    questions = form.questions.fields
    return {
        "application": application,
        "form": form if law.may_change_bank_details(application) else None,
        "current": spoken_details(questions, values),
        "requests": [(one, spoken_details(questions, one.values)) for one in asked],
        "form_address": address,
        "crumbs": [*HOME, (application.domain.name, address), ("Coordonnées bancaires", "")],
    }


@require_GET
def rib(request, pk):
    """The RIB of a request, for the référent of the dossier and its reviewers; each download is in the journal."""
    found = BankDetails.objects.visible_to(request.user).select_related("file", "application")
    asked = get_object_or_404(found, pk=pk)
    response = sealed_response(asked.file, name=f"{asked.application.reference}-rib-{asked.file.name}")
    bank.note_download(asked, by=request.user)
    return response
