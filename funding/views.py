"""The pages of money: the decision on a dossier, the envelopes, the list of the accountant; all for the ANS."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse, reverse_lazy
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_safe

from accounts.typed import comes_back, filled
from applications.actions import NotNow
from applications.models import Application, Domain
from applications.states import Step
from ecare.clock import paris_day
from ecare.french import euros
from ecare.lists import lay_out
from funding import actions, readers, rules, writers
from funding.actions import Overtaken
from funding.declared import declared, latest
from funding.filters import PaymentFilter
from funding.forms import DecisionForm
from funding.tables import PaymentTable

HOME = (("Dossiers", reverse_lazy("reviews:queue")),)


def _require_ans(user) -> None:
    if not user.is_ans:
        raise PermissionDenied


# --- the decision -------------------------------------------------------------------------------------------------
@comes_back
@require_http_methods(["GET", "HEAD", "POST"])
def decide(request, reference):
    """What was declared beside what is accepted of it: typed while the ANS controls the declaration, read otherwise."""
    dossiers = Application.objects.visible_to(request.user).select_related(
        "domain", "referent", "establishment__region", "establishment__legal_entity", "establishment__ght"
    )
    application = get_object_or_404(dossiers, reference=reference)
    _require_ans(request.user)
    sent = latest(application, Step.DECLARATION)
    if sent is None or not rules.may_decide(request.user, application):
        if request.method == "POST":
            raise NotNow(actions.CLOSED)
        return _page(request, application, None)
    form = DecisionForm(declared(sent), rules.decision_of(application), filled(request))
    if request.method == "POST" and form.is_valid():
        return _save(request, application, form)
    return _page(request, application, form)


def _save(request, application, form):
    typed = {"version": form.cleaned_data["version"], "seen": form.cleaned_data["seen"], "verdicts": form.verdicts()}
    try:
        decision = actions.decide(application, by=request.user, at=request.arrived_at, **typed)
    except Overtaken as overtaken:
        form = form.overwriting(overtaken.decision)
        return _page(request, application, form, overtaken=str(overtaken), status=409)
    amount = f" Montant qui en résulte : {euros(decision.amount)}." if decision.amount is not None else ""
    messages.success(request, f"La décision est enregistrée.{amount} {rules.rule_of(decision)}")
    return redirect("funding:decide", application.reference)


def _page(request, application, form, *, overtaken: str = "", status: int = 200):
    decision = form.decision if form else rules.decision_of(application)
    is_open = form is not None
    context = {
        "application": application,
        "form": form,
        "decision": decision,
        "overtaken": overtaken,
        "money": readers.money_of(application, request.user),
        "ceiling": readers.ceiling_of(application) if is_open or decision is None else None,
        "pieces": readers.pieces_of(form.what.submission, request.user) if is_open else [],
        "rule": rules.rule_of(decision) if decision else "",
        "faults": rules.decision_faults(application, decision) if is_open and decision else [],
        "consumption": rules.consumption(application.domain),
        "crumbs": [
            *HOME,
            (application.reference, reverse("reviews:dossier", args=[application.reference])),
            ("Financement", ""),
        ],
    }
    return render(request, "funding/decide.html", context, status=status)


# --- the envelopes ------------------------------------------------------------------------------------------------
@require_safe
def envelopes(request):
    """What each envelope holds, dossier by dossier counted once."""
    _require_ans(request.user)
    context = {
        "consumptions": rules.consumptions(Domain.objects.all()),
        "thresholds": rules.THRESHOLDS,
        "crumbs": [*HOME, ("Financement : enveloppes", "")],
    }
    return render(request, "funding/envelopes.html", context)


# --- the accountant -----------------------------------------------------------------------------------------------
@require_safe
def payments(request):
    """The dossiers to pay and paid, with the account of each, the sum, and the same as files."""
    _require_ans(request.user)
    found = PaymentFilter(request.GET, readers.to_pay())
    table = lay_out(PaymentTable(found.qs), request, length=25)
    context = {
        "filter": found,
        "table": table,
        "query": urlencode(found.criteria),
        "crumbs": [*HOME, ("Versements", "")],
    }
    return render(request, "funding/payments.html", context)


@require_safe
def payments_csv(request):
    _require_ans(request.user)
    found = PaymentFilter(request.GET, readers.to_pay())
    if not found.form.is_valid():
        return _explain(found)
    lines, name = _download(request, found, "csv")
    response = StreamingHttpResponse(writers.as_csv(lines), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@require_safe
def payments_xlsx(request):
    _require_ans(request.user)
    found = PaymentFilter(request.GET, readers.to_pay())
    if not found.form.is_valid():
        return _explain(found)
    lines, name = _download(request, found, "xlsx")
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return FileResponse(writers.as_xlsx(lines), as_attachment=True, filename=name, content_type=kind)


def _explain(found: PaymentFilter):
    """A filter that cannot be read never lets everything out: the page says what is wrong."""
    return redirect(f"{reverse('funding:payments')}?{urlencode(found.criteria)}")


def _download(request, found: PaymentFilter, extension: str):
    """The rows that the filter finds, and the name of their file; noted before the first byte leaves."""
    dossiers = found.qs.order_by("decision__validated_at", "pk")
    count = dossiers.count()
    if request.method == "GET":
        actions.note_download(by=request.user, format=extension, criteria=found.criteria, count=count)
    return writers.rows(dossiers), f"versements-{paris_day(request.arrived_at).isoformat()}.{extension}"
