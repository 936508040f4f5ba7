"""A file that takes the place of another."""

from django.contrib import messages
from django.http import JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from applications import rules as law
from applications.actions import NotNow
from applications.forms import PAGE_MARK
from applications.views import own_dossier
from ecare.french import after_colon
from evidence import actions, rules
from evidence.files import Refused
from evidence.models import Evidence
from evidence.upload_forms import ReplacementForm
from evidence.uploads import SealedUploadHandler
from evidence.views import INTERRUPTED, keep_typed


def current_evidence(request, pk) -> Evidence:
    """A file that stands in its space now, for the référent who may act on it."""
    found = Evidence.objects.visible_to(request.user).current()
    evidence = get_object_or_404(found.select_related("file", "question__section", "application"), file_id=pk)
    evidence.application = own_dossier(request, evidence.application.reference)
    return evidence


def space_address(evidence: Evidence) -> str:
    return f"{reverse('applications:detail', args=[evidence.application.reference])}#espace-{evidence.question.key}"


# --- replace ------------------------------------------------------------------------------------------------------
@csrf_exempt  # `_replace` checks the token: it is in the body, and the limit must be known before the body is read
@require_http_methods(["GET", "HEAD", "POST"])
def replace(request, pk):
    """A page that takes the new file. Its button stands in the form of the step: what is typed there is kept first."""
    evidence = current_evidence(request, pk)
    handler = SealedUploadHandler(request, limits={"replacement": evidence.question.max_bytes})
    request.upload_handlers = [handler]
    return _replace(request, evidence, handler)


@csrf_protect
def _replace(request, evidence: Evidence, handler):
    if request.method == "POST" and PAGE_MARK in request.POST:
        keep_typed(request, evidence.application)
        return redirect("evidence:replace", evidence.file_id)
    if not law.is_open_for_answers(evidence.application, request.arrived_at):
        raise NotNow(actions.CLOSED)
    if not rules.is_replaceable(evidence, evidence.application):
        raise NotNow("Ce fichier n’a pas encore été transmis : retirez-le, puis déposez le nouveau.")
    form = ReplacementForm()
    if request.method == "POST":
        form = ReplacementForm(request.POST, request.FILES)
        _take(request, evidence, form, handler)
        if request.headers.get("Accept") == "application/json":
            return _answer_script(evidence, form)
        if not form.errors:
            messages.success(request, f"Le fichier «\u00a0{evidence.file.name}\u00a0» est remplacé.")
            return redirect(space_address(evidence))
    return render(request, "evidence/replace.html", _page(evidence, form))


def _take(request, evidence: Evidence, form: ReplacementForm, handler) -> None:
    """Put the file in, or say at its field why not."""
    if handler.interrupted:
        form.errors["replacement"] = form.error_class([INTERRUPTED], renderer=form.renderer)
    elif form.is_valid():
        upload = form.cleaned_data["replacement"]
        try:
            actions.replace(evidence, upload=upload, by=request.user, at=request.arrived_at)
        except Refused as refusal:
            form.add_error("replacement", f"«\u00a0{upload.name}\u00a0»\u00a0: {after_colon(str(refusal))}")


def _answer_script(evidence: Evidence, form: ReplacementForm) -> JsonResponse:
    if form.errors:
        return JsonResponse({"errors": form.errors["replacement"]}, status=422)
    return JsonResponse({"next": space_address(evidence)})


def _page(evidence: Evidence, form: ReplacementForm) -> dict:
    application = evidence.application
    return {
        "crumbs": [
            ("Tableau de bord", reverse("applications:dashboard")),
            (application.domain.name, space_address(evidence)),
            ("Remplacer un fichier", ""),
        ],
        "application": application,
        "evidence": evidence,
        "question": evidence.question,
        "form": form,
        "back": space_address(evidence),
    }
