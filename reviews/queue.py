"""The queue of an agent: what waits, how it is narrowed, the views that they keep, who follows what."""

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch
from django.http import QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from applications.models import Application, ChangeRequest, TakeOverRequest
from applications.states import Desk
from applications.tables import LIFE_ORDER
from ecare.lists import turn_by_key
from evidence.models import BankDetails
from reviews import assignments
from reviews.filters import QueueFilter, view_of
from reviews.forms import AssignForm, SaveViewForm
from reviews.models import Assignment
from reviews.tables import QueueTable

LENGTH = 25


def require_reviewer(user) -> None:
    """These pages are for agents; a référent has pages of their own."""
    if not user.is_reviewer:
        raise PermissionDenied


def _found(request, query: QueryDict) -> QueueFilter:
    """The dossiers of an agent's regions, or all, narrowed as an address says."""
    dossiers = (
        Application.objects.visible_to(request.user)
        .select_related("domain", "establishment__region", "establishment__legal_entity", "establishment__ght")
        .select_related("claim__agent")
        .annotate(life_order=LIFE_ORDER)
        .prefetch_related(
            Prefetch("change_requests", ChangeRequest.objects.open(), to_attr="awaited_changes"),
            Prefetch(
                "assignments",
                Assignment.objects.filter(desk=Desk.of(request.user)).select_related("agent"),
                to_attr="followed",
            ),
        )
    )
    return QueueFilter(query, dossiers, user=request.user, at=request.arrived_at)


@require_safe
def queue(request):
    """The dossiers of an agent's regions, or all; first those that await them."""
    require_reviewer(request.user)
    found = _found(request, request.GET)
    table = QueueTable(found.qs, at=request.arrived_at, exclude=[] if "region" in found.filters else ["region"])
    turn_by_key(table, request, length=LENGTH, count=found.count)
    _remember(request, [row.record.reference for row in table.paginated_rows])
    return render(request, "reviews/queue.html", _page(request, found, table))


IN_TURN = "queue"
"""In the session: the references of the page of the queue that was read last, in its order."""


def _remember(request, references: list[str]) -> None:
    if request.session.get(IN_TURN) != references:
        request.session[IN_TURN] = references


def next_in_turn(request, reference: str) -> str:
    """The dossier that stood after this one on the page of the queue that the agent came from; empty if none did."""
    references = request.session.get(IN_TURN, [])
    place = references.index(reference) + 1 if reference in references else len(references)
    return references[place] if place < len(references) else ""


def _page(request, found: QueueFilter, table: QueueTable) -> dict:
    waiting = TakeOverRequest.objects.visible_to(request.user).open().count()
    if request.user.is_ans:
        waiting += BankDetails.objects.open().count()
    view = view_of(request.GET, user=request.user)
    views = list(request.user.views.all())
    return {
        "filter": found,
        "table": table,
        "waiting_requests": waiting,
        "view": view,
        "shared_address": f"{settings.SITE_ADDRESS}{_address(view)}",
        "views": views,
        "current_view": next((one for one in views if one.query == view), None),
        "save_form": SaveViewForm(user=request.user, initial={"query": view}, auto_id="vue-%s"),
        "assign_form": AssignForm(
            found.colleagues, user=request.user, count=found.count, initial={"query": view}, auto_id="attribution-%s"
        ),
    }


# --- the views that an agent keeps --------------------------------------------------------------------------------
@require_POST
def save_view(request):
    require_reviewer(request.user)
    form = SaveViewForm(request.POST, user=request.user)
    if not form.is_valid():
        messages.error(request, " ".join(error for errors in form.errors.values() for error in errors))
        return _back(view_of(QueryDict(request.POST.get("query", "")), user=request.user))
    view = form.cleaned_data["query"]
    try:
        assignments.save_view(request.user, name=form.cleaned_data["name"], query=view)
    except assignments.TooMany as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"La vue «\u00a0{form.cleaned_data['name']}\u00a0» est enregistrée.")
    return _back(view)


@require_POST
def forget_view(request, pk):
    require_reviewer(request.user)
    view = get_object_or_404(request.user.views, pk=pk)
    view.delete()
    messages.success(request, f"La vue «\u00a0{view.name}\u00a0» est supprimée. Aucun dossier n’a changé.")
    return _back(view.query)


# --- who follows what ---------------------------------------------------------------------------------------------
@require_POST
def assign(request):
    """Give the ticked dossiers, or the whole view, to one agent of the desk, or to nobody."""
    require_reviewer(request.user)
    view = view_of(QueryDict(request.POST.get("query", "")), user=request.user)
    found = _found(request, QueryDict(view))
    rows = found.qs.order_by("pk")
    form = AssignForm(found.colleagues, request.POST, user=request.user, count=found.count, rows=rows)
    if not form.is_valid():
        messages.error(request, " ".join(error for errors in form.errors.values() for error in errors))
        return _back(view)
    agent = form.cleaned_data["agent"]
    try:
        count = assignments.assign(form.chosen, to=agent, by=request.user)
    except assignments.NotTheirs as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, assignments.said(count, agent, by=request.user))
    return _back(view)


@require_POST
def follow(request, reference):
    """« Suivre ce dossier », or with `fin` « Ne plus suivre »; a colleague who follows it meanwhile keeps it."""
    application = get_object_or_404(Application.objects.visible_to(request.user), reference=reference)
    require_reviewer(request.user)
    if "fin" in request.POST:
        count = assignments.assign([reference], to=None, by=request.user, of=request.user)
        said = "Vous ne suivez plus ce dossier."
    else:
        count = assignments.assign([reference], to=request.user, by=request.user)
        said = "Vous suivez ce dossier."
    messages.success(request, said if count else "Rien n’a changé.")
    return redirect("reviews:dossier", application.reference)


def _back(view: str):
    return redirect(_address(view))


def _address(view: str) -> str:
    address = reverse("reviews:queue")
    return f"{address}?{view}" if view else address
