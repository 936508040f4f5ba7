"""« Signaler des données de patients »: the ARS reports a file, the ANS purges it or keeps it."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse, reverse_lazy
from django.views.decorators.http import require_http_methods, require_safe

from accounts.typed import comes_back, filled, is_confirmed
from applications import rehearsal
from applications.actions import NotNow
from ecare.lists import lay_out
from evidence import purges
from evidence.models import Evidence, PatientDataReport
from evidence.purge_forms import DismissForm, PurgeForm, ReportForm, ReportTable
from evidence.rules import still_reads, told_of_purge

DOSSIERS = ("Dossiers", reverse_lazy("reviews:queue"))
REPORTS = ("Signalements", reverse_lazy("evidence:reports"))
REPORTED = "Le fichier est signalé. Plus personne ne peut le télécharger, sauf l’ANS."
PURGED = "Le fichier est purgé : son contenu est détruit."


def _require_reviewer(user) -> None:
    if not user.is_reviewer:
        raise PermissionDenied


@comes_back
@require_http_methods(["GET", "HEAD", "POST"])
def patient_data(request, pk):
    """An ARS reports; the ANS purges at once. GET says what the click will do and whom it writes to."""
    found = Evidence.objects.visible_to(request.user).select_related(
        "file", "question", "application__referent", "application__establishment__ght", "application__domain"
    )
    evidence = found.filter(file_id=pk).first()
    if evidence is None:
        return _purge_held(request, pk)
    _require_reviewer(request.user)
    if evidence.file.is_purged:
        raise NotNow("Ce fichier est déjà purgé.")
    form = (PurgeForm if request.user.is_ans else ReportForm)(filled(request))
    if is_confirmed(request, form):
        _act(request, evidence, reason=form.cleaned_data["reason"])
        messages.success(request, PURGED if request.user.is_ans else REPORTED)
        return redirect("reviews:dossier", evidence.application.reference)
    report = evidence.reports.open().select_related("by").first()
    if request.user.is_ans:
        recipients = told_of_purge(evidence.application, report, by=request.user)
    else:
        recipients = purges.deciders_of(evidence.application)
    back = reverse("reviews:dossier", args=[evidence.application.reference])
    crumbs = [DOSSIERS, (evidence.application.reference, back), (form.title, "")]
    letters = rehearsal.letters_of(
        lambda: _act(request, evidence, reason=form.specimen()), subject=evidence.application.subject
    )
    told = {"recipients": recipients, "letters": letters}
    return _page(request, evidence, report, form, back=back, crumbs=crumbs, **told)


def _purge_held(request, pk):
    """A file that stands in no space: the ANS alone, and at once."""
    held = purges.held_file(pk, request.user)
    if held is None:
        raise Http404
    if not request.user.is_ans:
        raise PermissionDenied
    if held.file.is_purged:
        raise NotNow("Ce fichier est déjà purgé.")

    def purge(reason: str) -> None:
        purges.purge_held(held, by=request.user, reason=reason, at=request.arrived_at)

    form = PurgeForm(filled(request))
    back = reverse("reviews:dossier", args=[held.application.reference])
    if is_confirmed(request, form):
        purge(form.cleaned_data["reason"])
        messages.success(request, PURGED)
        return redirect(back)
    told = {
        "recipients": told_of_purge(held.application, None, by=request.user),
        "letters": rehearsal.letters_of(lambda: purge(form.specimen()), subject=held.application.subject),
        "crumbs": [DOSSIERS, (held.application.reference, back), (form.title, "")],
    }
    return _page(request, held, None, form, back=back, **told)


def _act(request, evidence: Evidence, *, reason: str) -> None:
    act = purges.purge_evidence if request.user.is_ans else purges.report_patient_data
    act(evidence, by=request.user, reason=reason, at=request.arrived_at)


def _page(request, evidence: Evidence | purges.Held, report: PatientDataReport | None, form: ReportForm, **more):
    told = {"has_message": True, "application": evidence.application}
    context = {"evidence": evidence, "report": report, "form": form, **told}
    return render(request, "evidence/patient_data.html", context | more)


@require_safe
def reports(request):
    """Those that wait for the ANS or, asked for, those it decided; an ARS reads those of its regions."""
    _require_reviewer(request.user)
    is_decided = request.GET.get("etat") == "decides"
    found = PatientDataReport.objects.visible_to(request.user).select_related(
        "by", "decided_by", "evidence__file", "evidence__question", "evidence__application"
    )
    found = found.exclude(state=PatientDataReport.State.OPEN) if is_decided else found.open()
    table = ReportTable(found, is_decided=is_decided, offers_decision=request.user.is_ans)
    context = {
        "table": lay_out(table, request, length=25),
        "is_decided": is_decided,
        "crumbs": [DOSSIERS, (REPORTS[0], "")],
    }
    return render(request, "evidence/reports.html", context)


@comes_back
@require_http_methods(["GET", "HEAD", "POST"])
def dismiss_report(request, pk):
    """The file holds no patient data: it is read as before."""
    _require_reviewer(request.user)
    found = PatientDataReport.objects.visible_to(request.user).select_related(
        "by", "evidence__file", "evidence__question", "evidence__application__establishment__ght"
    )
    report = get_object_or_404(found, pk=pk)
    if not request.user.is_ans:
        raise PermissionDenied
    if not report.is_open:
        raise NotNow(f"Ce signalement est déjà décidé : {report.get_state_display().lower()}.")

    def dismiss(message: str) -> None:
        purges.dismiss_report(report, by=request.user, message=message, at=request.arrived_at)

    form = DismissForm(filled(request))
    if is_confirmed(request, form):
        dismiss(form.cleaned_data["reason"])
        messages.success(request, "Le signalement est écarté : le fichier se lit comme avant.")
        return redirect("evidence:reports")
    crumbs = [DOSSIERS, REPORTS, (form.title, "")]
    back = reverse("evidence:reports")
    letters = rehearsal.letters_of(lambda: dismiss(form.specimen()), subject=report.evidence.application.subject)
    recipients = [report.by] if still_reads(report.by, report.evidence.application) else []
    told = {"recipients": recipients, "letters": letters}
    return _page(request, report.evidence, report, form, back=back, crumbs=crumbs, **told)
