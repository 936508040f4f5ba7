"""The référent's pages: find the visible dossier, read the form, call one verb, answer."""

from io import BytesIO

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import FileResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse, reverse_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import typed
from applications import actions, eligibility, rules, writers
from applications.corrections import opened_together
from applications.forms import StartForm, StepForm, VersionForm, parts_of
from applications.history import for_referent as events_for_referent
from applications.models import (
    Application,
    ChangeRequest,
    Domain,
    Extension,
    FormVersion,
    TakeOverRequest,
    questions_of,
)
from applications.notes import ceiling_for
from applications.people_forms import contact_forms
from applications.rules import known_of
from applications.states import State, Step
from applications.tables import ApplicationTable, badge_of
from ecare.lists import lay_out, searched

STEPS = (Step.CANDIDATURE.label, Step.DECLARATION.label)
HOME = (("Tableau de bord", reverse_lazy("applications:dashboard")),)


def visible_dossiers(user):
    """With all that the pages of a dossier say of it."""
    return Application.objects.visible_to(user).select_related(
        "domain",
        "establishment__region",
        "establishment__legal_entity",
        "establishment__ght",
        "candidature_form",
        "declaration_form",
    )


def own_dossier(request, reference: str) -> Application:
    """The dossier if this person may see it (else 404) and is its référent: reviewers read on their own pages (403)."""
    application = get_object_or_404(visible_dossiers(request.user), reference=reference)
    if application.referent_id != request.user.pk:
        raise PermissionDenied
    return application


# --- the dashboard ------------------------------------------------------------------------------------------------
@require_safe
def dashboard(request):
    """The référent's home: the calendar of the domains, what awaits them, their dossiers."""
    if not request.user.is_referent:
        raise PermissionDenied
    words = searched(request)
    dossiers = Application.objects.visible_to(request.user).select_related(
        "domain", "establishment__ght", "establishment__region"
    )
    held = {dossier.domain_id: dossier for dossier in _held(request.user.establishment)}
    table = ApplicationTable(dossiers.matching(words), is_search=bool(words))
    lay_out(table, request, length=10)
    extended = Extension.objects.days_of(request.user.establishment)
    offers = eligibility.offers(_domains_for(request.user), request.user.establishment, request.arrived_at, extended)
    startable = _startable_by(request, extended)
    context = {
        "table": table,
        "words": words,
        "has_dossiers": bool(dossiers),
        "establishment": request.user.establishment,
        "awaited": _awaited(dossiers, request.arrived_at),
        "to_sign": [dossier for dossier in dossiers if dossier.is_to_sign],
        "take_overs": TakeOverRequest.objects.to_answer_for(request.user),
        "offers": [(offer, held.get(offer.domain.pk)) for offer in offers],
        "startable": [offer for offer in offers if offer.domain in startable],
        "form": StartForm(startable),
        "held": _of_colleagues(held.values(), request),
    }
    return render(request, "applications/dashboard.html", context)


def _awaited(dossiers, at) -> list[rules.Deadline]:
    """What is still to be sent, or to be corrected, by the référent: the most urgent first."""
    editable = [dossier for dossier in dossiers if dossier.is_editable]
    asked = ChangeRequest.objects.open().filter(application__in=editable)
    requests = {request.application_id: request for request in asked}
    deadlines = [rules.deadline(dossier, at, request=requests.get(dossier.pk)) for dossier in editable]
    return sorted(deadlines, key=_urgency)


def _urgency(one: rules.Deadline) -> tuple:
    """Sorts what can still be done before the rest, and the nearest day first; no day at all comes last."""
    until = one.day or (one.request.due_on if one.request else None)
    return one.is_late, until is None, until or one.today, one.application.reference


def _domains_for(user) -> list[Domain]:
    """Eligibility is a rule of the domain, as data."""
    return [domain for domain in Domain.objects.all() if eligibility.is_eligible(domain, user.establishment)]


def _startable_by(request, extended) -> list[Domain]:
    """`extended`: the days given to the person's establishment."""
    free, mine = Domain.objects.not_taken_by(request.user.establishment), request.user.establishment
    return [
        one
        for one in free
        if eligibility.is_eligible(one, mine)
        and rules.may_start(one, request.arrived_at, extended=extended.get((one.pk, Step.CANDIDATURE)))
    ]


def _held(establishment) -> list[Application]:
    """The dossier that holds the place of the establishment in each domain, whoever follows it."""
    held = establishment.applications.in_place().select_related("domain", "referent")
    return list(held.order_by("domain__position", "domain__name"))


def _of_colleagues(held, request) -> list[Application]:
    """Why an open domain is not offered: the dossiers that colleagues hold there."""
    theirs = (dossier for dossier in held if dossier.referent_id != request.user.pk)
    return [
        dossier
        for dossier in theirs
        if rules.may_start(dossier.domain, request.arrived_at, extended=dossier.candidature_extended_until)
    ]


@typed.comes_back
@require_http_methods(["GET", "HEAD", "POST"])
def start(request):
    """« Candidater à un domaine »: the page behind the dialog of the dashboard."""
    if not request.user.is_referent:
        raise PermissionDenied
    extended = Extension.objects.days_of(request.user.establishment)
    domains = _startable_by(request, extended)
    taken = _taken_domain(request, domains)
    form = StartForm(domains if taken is None else [*domains, taken], typed.filled(request))
    if request.method == "POST" and form.is_valid():
        return _start(request, form.cleaned_data["domain"])
    context = {
        "form": form,
        "startable": eligibility.offers(domains, request.user.establishment, request.arrived_at, extended),
        "held": _of_colleagues(_held(request.user.establishment), request),
        "crumbs": [*HOME, ("Candidater à un domaine", "")],
    }
    return render(request, "applications/start.html", context)


def _taken_domain(request, domains: list[Domain]) -> Domain | None:
    """The domain asked for when a dossier already holds its place, so that a second click is led to that dossier."""
    slug = request.POST.get("domain", "")
    if any(domain.slug == slug for domain in domains):
        return None
    held = request.user.establishment.applications.in_place().filter(domain__slug=slug).select_related("domain").first()
    return held.domain if held else None


def _start(request, domain: Domain):
    try:
        application = actions.start(domain, by=request.user, at=request.arrived_at)
    except actions.AlreadyStarted as already:
        held = already.application
        if held.referent_id == request.user.pk:
            messages.info(request, "Votre établissement a déjà cette candidature : la voici.")
            return redirect("applications:detail", held.reference)
        messages.warning(
            request,
            f"Une candidature de votre établissement au {domain.name} est déjà suivie par {held.referent}. "
            "Un établissement a une seule candidature par domaine : rapprochez-vous de votre collègue.",
        )
        return redirect("applications:dashboard")
    messages.success(
        request,
        f"Votre candidature n° {application.reference} est créée. Elle n’est pas encore transmise : "
        "complétez le formulaire, vérifiez le récapitulatif, puis transmettez-la.",
    )
    return redirect("applications:detail", application.reference)


# --- what a dossier's pages say --------------------------------------------------------------------------------------
def page_of(request, application) -> dict:
    """What the pages of a dossier have in common."""
    contacts = list(application.contacts.all())
    asked = application.change_requests.open().first()
    asked_changes = list(asked.items.select_related("question")) if asked else []
    return {
        "application": application,
        "establishment": application.establishment,
        "badge": badge_of(application),
        "crumbs": [*HOME, (application.domain.name, "")],
        "form_address": reverse("applications:detail", args=[application.reference]),
        "steps": STEPS,
        "current": 2 if application.step == Step.DECLARATION else 1,
        "deadline": rules.deadline(application, request.arrived_at, request=asked),
        "change_request": asked,
        "asked_changes": asked_changes,
        "opened_together": opened_together(application, asked_changes) if asked_changes else "",
        "contacts": contacts,
        "contact_forms": contact_forms(contacts) if rules.may_update_contacts(application) else [],
        "has_convention_page": rules.has_convention_page(application),
        "has_bank_details_page": rules.has_bank_details_page(application),
        "may_withdraw": rules.may_now(request.user, "withdraw", application),
        "version_form": VersionForm(initial={"version": application.version}),
    }


def sendings_of(application):
    """Every sending of both steps, latest first: each has its receipt."""
    return application.submissions.select_related("by").order_by("-at", "-pk")


def reading_of(request, application, form: FormVersion) -> dict:
    """The dossier as it is read: the answers of one step, what was sent, and why it cannot be typed in."""
    questions = questions_of(form)
    values = known_of(application, form)
    context = page_of(request, application)
    return context | {
        "step": form.step,
        "is_past": form.pk != application.form.pk,
        "reminder": form.reminder,
        "parts": parts_of(
            questions, values, application.establishment.entities(), ceiling=ceiling_for(application, questions)
        ),
        "submission": application.submissions.filter(step=form.step).last(),
        "sendings": sendings_of(application),
    }


@require_safe
def step(request, reference):
    """The candidature as it was sent, once the dossier stands in its declaration."""
    application = own_dossier(request, reference)
    if application.step == Step.CANDIDATURE:
        return redirect("applications:detail", reference)
    return render(request, "applications/read.html", reading_of(request, application, application.candidature_form))


# --- verify, transmit, withdraw -----------------------------------------------------------------------------------
@require_safe
def recap(request, reference):
    """« Vérifiez votre saisie »: everything that would be sent, or what is missing."""
    application = own_dossier(request, reference)
    if not rules.is_open_for_answers(application, request.arrived_at):
        return redirect("applications:detail", reference)
    form = StepForm(application)
    context = page_of(request, application) | {
        "form": form,
        "parts": parts_of(form.questions, form.values, form.entities, ceiling=form.ceiling),
        "reminder": application.form.reminder,
        "is_as_sent": actions.is_as_sent(application),
    }
    return render(request, "applications/recap.html", context)


@require_POST
def submit(request, reference):
    """« Transmettre votre candidature »."""
    application = own_dossier(request, reference)
    version = _version(request)
    try:
        actions.submit(application, by=request.user, version=version, at=request.arrived_at)
    except actions.Incomplete as refused:
        messages.error(request, str(refused))
        return redirect("applications:recap", reference)
    except actions.NotNow:
        if not _was_sent_by_this_page(application, version):
            raise
    return redirect("applications:submitted", reference)


def _version(request) -> int:
    form = VersionForm(request.POST)
    if not form.is_valid():
        raise actions.NotNow(actions.MOVED)
    return form.cleaned_data["version"]


def _was_sent_by_this_page(application, version: int) -> bool:
    """A second click finds its dossier one version further and sent: it is shown the same receipt."""
    found = Application.objects.get(pk=application.pk)
    return found.version == version + 1 and not found.is_editable and found.state != State.WITHDRAWN


@require_safe
def submitted(request, reference):
    """The receipt of the latest sending."""
    application = own_dossier(request, reference)
    sendings = list(sendings_of(application))
    if not sendings:
        return redirect("applications:detail", reference)
    context = page_of(request, application) | {"submission": sendings[0], "sendings": sendings}
    return render(request, "applications/submitted.html", context)


@require_safe
def receipt(request, reference, step, number):
    """One sending as a PDF to keep, for the référent of the dossier and its reviewers."""
    application = get_object_or_404(visible_dossiers(request.user), reference=reference)
    sent = application.submissions.select_related("by")
    submission = get_object_or_404(sent, step=step, number=number)
    return FileResponse(
        BytesIO(writers.receipt(submission)),
        as_attachment=True,
        filename=writers.receipt_name(submission),
        content_type="application/pdf",
    )


@require_safe
def history(request, reference):
    """Who did what and when, every sending and its receipt."""
    application = own_dossier(request, reference)
    context = page_of(request, application) | {
        "history": events_for_referent(application),
        "sendings": sendings_of(application),
        "crumbs": [
            *HOME,
            (application.domain.name, reverse("applications:detail", args=[reference])),
            ("Historique", ""),
        ],
    }
    return render(request, "applications/history.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request, reference):
    """A page that says what it means, then the verb."""
    application = own_dossier(request, reference)
    if request.method == "POST":
        actions.withdraw(application, by=request.user, version=_version(request))
        messages.success(request, f"La candidature n° {application.reference} est retirée.")
        return redirect("applications:dashboard")
    if not rules.may_now(request.user, "withdraw", application):
        raise actions.NotNow("Cette candidature ne peut plus être retirée.")
    asked = application.take_over_requests.open().select_related("by").order_by("at")
    return render(request, "applications/withdraw.html", page_of(request, application) | {"take_overs": asked})
