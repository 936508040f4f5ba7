"""« Convention » of a dossier: the référent downloads it, has it signed, sends the signed copy."""

import hashlib

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_http_methods, require_safe

from applications.actions import NotNow
from applications.models import Application
from applications.rules import has_convention_page
from applications.views import HOME, own_dossier, visible_dossiers
from conventions import actions, emails, readers, rules, writers
from conventions.forms import CopyForm
from conventions.models import SignedCopy
from ecare.receiving import receives
from evidence.files import Refused
from evidence.views import sealed_response


@receives("referent", upload=rules.MAX_BYTES)
@require_http_methods(["GET", "HEAD", "POST"])
def convention(request, reference):
    """Where the signature stands, the convention to sign, and the form for the signed copy while it may come."""
    application = own_dossier(request, reference)
    if not has_convention_page(application):
        raise NotNow(actions.NOT_NOW)
    form = CopyForm(*((request.POST, request.FILES) if request.method == "POST" else ()))
    if request.method == "POST" and not rules.may_be_signed(application):
        raise NotNow(actions.NOT_NOW)
    if request.method == "POST" and form.is_valid() and _sent(request, application, form):
        return redirect("conventions:convention", reference)
    return render(request, "conventions/convention.html", _page(request, application, form))


def _sent(request, application: Application, form: CopyForm) -> bool:
    try:
        actions.send_copy(application, upload=form.cleaned_data["upload"], by=request.user, at=request.arrived_at)
    except Refused as refusal:
        form.add_error("upload", str(refusal))
        return False
    messages.success(request, "L’exemplaire signé est transmis à l’ANS. Vous serez prévenu par e-mail de la suite.")
    return True


def _page(request, application: Application, form: CopyForm) -> dict:
    address = reverse("applications:detail", args=[application.reference])
    copies = list(application.signed_copies.select_related("file", "by"))
    is_open = rules.may_be_signed(application)
    return {
        "application": application,
        "form": form if is_open else None,
        "copies": copies,
        "refused": copies[0] if is_open and copies and copies[0].state == SignedCopy.State.REFUSED else None,
        "signatory": readers.signatory(application) if is_open else None,
        "is_official": readers.text_of(application.domain).is_official,
        "letter": emails.receipt_to_come(application, by=request.user, at=request.arrived_at) if is_open else None,
        "agents": rules.countersigners_of(application) if is_open else [],
        "form_address": address,
        "crumbs": [*HOME, (application.domain.name, address), ("Convention", "")],
    }


@require_safe
def to_sign(request, reference):
    """The convention pre-filled from the dossier, as a PDF, for its référent and its reviewers; each is noted."""
    application = get_object_or_404(visible_dossiers(request.user), reference=reference)
    if not rules.may_be_signed(application):
        raise NotNow(actions.NOT_NOW)
    text = readers.text_of(application.domain)
    content = writers.convention(application, text, at=request.arrived_at)
    digest = hashlib.sha256(content).hexdigest()
    actions.note_preparation(application, by=request.user, sha256=digest, text=text.version)
    headers = {
        "Content-Disposition": content_disposition_header(True, f"eCaRE-{reference}-convention-a-signer.pdf"),
        "Cache-Control": "no-store, private",
    }
    return HttpResponse(content, content_type="application/pdf", headers=headers)


@require_safe
def copy(request, pk):
    """A signed copy, for the référent of the dossier and its reviewers; each download is in the journal."""
    found = SignedCopy.objects.visible_to(request.user).select_related("file", "application")
    wanted = get_object_or_404(found, pk=pk)
    response = sealed_response(wanted.file, name=f"{wanted.application.reference}-convention-{wanted.file.name}")
    actions.note_download(wanted, by=request.user)
    return response
