"""The form of a step: shown, kept as it is typed or as a whole; what is wrong or disputed stays as it was typed."""

from typing import cast

from django.contrib import messages
from django.http import Http404, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts import typed
from applications import actions, rules
from applications.forms import STEP_MARK, Row, StepForm
from applications.models import Application
from applications.views import own_dossier, page_of, reading_of
from ecare.form_renderer import DsfrBoundField
from ecare.french import paris_hour
from ecare.receiving import ANY, MANY, receives

MOVED_ON = (
    "Ce dossier a changé pendant votre absence : ce que vous aviez saisi quand votre session a pris fin n’y a plus sa "
    "place et n’a pas été enregistré."
)
SAVED = "Votre brouillon est enregistré. Votre dossier n’est pas encore transmis."


@receives("referent", files=MANY, **{ANY: 0})  # `evidence:add`, which the browser sends them to, keeps them
@typed.comes_back
@require_http_methods(["GET", "HEAD", "POST"])
def detail(request, reference):
    """The form of the present step; read-only when it may not be typed in."""
    application = own_dossier(request, reference)
    if request.method == "POST":
        return _save(request, application)
    if not rules.is_open_for_answers(application, request.arrived_at):
        _say_that_it_moved(request, typed.take_up(request)[1])
        return render(request, "applications/read.html", reading_of(request, application, application.form))
    return _show(request, application, _form_with_what_was_typed(request, application))


def _form_with_what_was_typed(request, application) -> StepForm:
    posted, has_ended = typed.take_up(request)
    if posted is None:
        return StepForm(application)
    if posted.get(STEP_MARK, application.step) != application.step:
        _say_that_it_moved(request, has_ended)
        return StepForm(application)
    form = StepForm(application, posted)
    form.weigh()
    if has_ended:
        messages.warning(request, typed.RETURNED)
    return form


def _say_that_it_moved(request, has_ended: bool) -> None:
    """What was typed as the session ended has no form to come back to."""
    if has_ended:
        messages.warning(request, MOVED_ON)


def _save(request, application):
    """Keep the good values, show the others as typed. Files go to the vault, and all the rest with them."""
    if request.FILES:
        return HttpResponseRedirect(reverse("evidence:add", args=[application.reference]), preserve_request=True)
    form = keep(request, application)
    if form.errors:
        messages.warning(request, "Vos autres réponses sont enregistrées. Reprenez celles que la page signale.")
        return _show(request, application, form)
    if "_next" in request.POST:
        return redirect("applications:recap", application.reference)
    messages.success(request, SAVED)
    return redirect(f"{reverse('applications:detail', args=[application.reference])}{_place(request, form)}")


def _place(request, form: StepForm) -> str:
    """After a choice between two values, or a line more or less: the question that it was about."""
    key = form.chosen or form.changed_list
    return f"#question-{key}" if key in form.fields else ""


def keep(request, application: Application) -> StepForm:
    """Keep each good value that takes nothing away from another page; the form then shows where things stand."""
    form = StepForm(application, request.POST)
    values = form.good_values()
    actions.save_answers(application, by=request.user, values=values, at=request.arrived_at, marks=form.marks)
    form.weigh()
    return form


def keep_typed(request, application: Application) -> StepForm:
    """For a page that answers in the form's place (a file was put in): save what was typed; what is wrong or disputed
    waits in the session, as typed, for the next display of the form."""
    form = keep(request, application)
    if form.errors:
        page = reverse("applications:detail", args=[application.reference])
        typed.put_by(request, page, by=request.user.pk)
    return form


def _show(request, application, form):
    context = page_of(request, application) | {"form": form, "parts": form.parts()}
    return render(request, "applications/detail.html", context)


@require_POST
def answer(request, reference, key):
    """One answer, for autosave.js: kept (200), wrong (422), given elsewhere meanwhile or no longer possible (409)."""
    application = own_dossier(request, reference)
    form = StepForm(application, request.POST)
    if key not in form.fields:
        if any(question.key == key and not form.opening.is_open(question) for question in form.questions):
            return JsonResponse({"message": actions.NOT_ASKED}, status=409)
        raise Http404
    values = {name: value for name, value in form.good_values().items() if name == key}
    try:
        actions.save_answers(application, by=request.user, values=values, at=request.arrived_at, marks=form.marks)
    except actions.NotNow as closed:
        return JsonResponse({"message": str(closed)}, status=409)
    form.weigh()
    return _told(request, application, form, key)


def _told(request, application, form: StepForm, key: str) -> JsonResponse:
    row = next(row for part in form.parts() for row in part.rows if row.key == key)
    if key in form.conflicts:
        panel = render_to_string("applications/_conflict.html", {"row": row}, request)
        return JsonResponse({"errors": list(form[key].errors), "conflict": panel}, status=409)
    if key in form.errors:
        bound = cast(DsfrBoundField, form[key])
        cells = [place for place, _ in bound.faults if place != bound.focus_id]
        return JsonResponse({"errors": list(form[key].errors), "cells": cells, "mark": row.mark}, status=422)
    return JsonResponse(_kept(request, application, form, row))


def _kept(request, application, form: StepForm, row: Row) -> dict:
    page = page_of(request, application) | {"form": form}
    side = render_to_string("applications/_side.html", page, request)
    told = {"at": paris_hour(timezone.now()), "mark": row.mark, "note": row.note, "side": side}
    if row.question.contact_role:
        told["dialogs"] = render_to_string("applications/_contact_dialogs.html", page, request)
    return told
