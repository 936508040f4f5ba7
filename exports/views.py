"""The exports of an agent: ask, look, cancel, fetch."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse_lazy
from django.views.decorators.http import require_GET, require_POST, require_safe

from applications.actions import NotNow
from applications.models import Application
from ecare.lists import lay_out
from evidence.views import opened_response
from exports import actions, readers, rules
from exports.forms import ArchiveForm, ViewForm
from exports.models import Export
from exports.tables import ExportTable
from reviews.filters import view_of

CRUMBS = (("Dossiers", reverse_lazy("reviews:queue")), ("Exports", ""))
OF_DOSSIER = {"pdf": Export.Kind.DOSSIER_PDF, "pieces": Export.Kind.DOSSIER_ZIP}
ASKED = (
    "Votre export est demandé. Sa préparation se fait sans vous : un courrier vous dira quand il sera prêt, "
    "vous pouvez quitter cette page."
)


def _require_agent(user) -> None:
    if not rules.may_export(user):
        raise PermissionDenied


def _own(request, number) -> Export:
    """One of this person's (else 404)."""
    _require_agent(request.user)
    return get_object_or_404(Export.objects.visible_to(request.user), pk=number)


@require_safe
def exports(request):
    """« Mes exports »."""
    _require_agent(request.user)
    return _listed(request, ArchiveForm())


def _listed(request, form, status: int = 200):
    own = Export.objects.visible_to(request.user)
    table = lay_out(ExportTable(own), request, length=25)
    context = {
        "table": table,
        "form": form if rules.may_archive(request.user) else None,
        "is_waiting": any(row.record.is_unfinished for row in table.paginated_rows),
        "kept": rules.KEPT.days,
        "most_kept": rules.MOST_KEPT,
        "crumbs": CRUMBS,
    }
    return render(request, "exports/exports.html", context, status=status)


# --- ask ------------------------------------------------------------------------------------------------------------
@require_POST
def ask_view(request):
    """« Exporter cette vue »."""
    _require_agent(request.user)
    form = ViewForm(request.POST)
    if not form.is_valid():
        raise NotNow("Cette vue ne peut pas être exportée : revenez à la liste des dossiers, puis recommencez.")
    query = view_of(QueryDict(form.cleaned_data["query"]), user=request.user)
    found = readers.view(query, request.user)
    label = readers.said(found)
    kind = form.cleaned_data["kind"]
    return _asked(request, actions.ask(kind, what=query, label=label, by=request.user, at=request.arrived_at))


@require_POST
def ask_dossier(request, reference, form):
    """« Dossier en PDF », « Pièces en ZIP »."""
    found = Application.objects.visible_to(request.user).select_related("establishment__ght")
    application = get_object_or_404(found, reference=reference)
    _require_agent(request.user)
    if form not in OF_DOSSIER:
        raise Http404
    return _asked(request, actions.of_dossier(OF_DOSSIER[form], application, by=request.user, at=request.arrived_at))


@require_POST
def ask_archive(request):
    """« Archive du domaine », for the ANS."""
    if not rules.may_archive(request.user):
        raise PermissionDenied
    form = ArchiveForm(request.POST)
    if not form.is_valid():
        return _listed(request, form)
    domain = form.cleaned_data["archived"]
    kind = Export.Kind.DOMAIN_ARCHIVE
    return _asked(
        request, actions.ask(kind, what=domain.slug, label=domain.name, by=request.user, at=request.arrived_at)
    )


def _asked(request, export: Export):
    messages.success(request, "Cet export est prêt." if export.state == Export.State.READY else ASKED)
    return redirect("exports:exports")


# --- one of them ----------------------------------------------------------------------------------------------------
@require_POST
def cancel(request, number):
    export = _own(request, number)
    actions.cancel(export, by=request.user)
    messages.success(request, "L’export est annulé.")
    return redirect("exports:exports")


@require_GET
def download(request, number):
    """To whoever asked, while everything in it is still theirs to read; each download leaves a line."""
    export = _own(request, number)
    actions.check_download(export, by=request.user, at=request.arrived_at)
    response = opened_response(export.storage_name, name=export.name)
    actions.note_download(export, by=request.user)
    return response
