"""The encrypted containers: what the référent takes and activates, what the ANS loads.

Each dialog of the form is a page of its own; `container.js` asks for the same pages as JSON.
"""

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from accounts.typed import PAGE_MARK, comes_back, filled
from applications import rules as law
from applications.actions import NotNow
from applications.views import own_dossier
from ecare.lists import lay_out, searched
from ecare.receiving import ANY, MANY, MEGABYTE, receives
from ecare.sealing import CannotOpen
from evidence import containers as verbs
from evidence.actions import CLOSED
from evidence.forms import ActivationForm, BatchForm, ReissueForm
from evidence.models import Container
from evidence.rules import may_load_containers
from evidence.tables import ReissueTable
from evidence.uploads import MOST_BYTES
from evidence.views import keep_page, sealed_response, space_address, spaces_of

DRAW = "Téléchargement du conteneur ZED sécurisé et chiffré"
ACTIVATED = "Conteneur ZED à télécharger"
REISSUE = "Demander un nouveau conteneur ZED"
EMPTY = "Aucun conteneur ZED disponible"


# --- the référent -------------------------------------------------------------------------------------------------
@receives("referent", files=MANY, **{ANY: MOST_BYTES})
@require_http_methods(["GET", "HEAD", "POST"])
def container(request, reference, key):
    """POST draws the container; GET shows where it stands: to draw, its credentials, or its download."""
    application, question = _space(request, reference, key)
    if request.method == "POST":
        return _draw(request, application, question)
    if not law.is_open_for_answers(application, request.arrived_at):
        raise NotNow(CLOSED)
    return _where_it_stands(request, application, question)


def _space(request, reference: str, key: str):
    """The person's own dossier, and its space that hands out a container (else 404)."""
    application = own_dossier(request, reference)
    question = verbs.question_of(application, key)
    if question is None:
        raise Http404
    return application, question


def _draw(request, application, question):
    if PAGE_MARK in request.POST:  # its button stands in the form of the step: what is typed there is kept first
        keep_page(request, application, spaces_of(application))
    try:
        verbs.draw(application, question, by=request.user, at=request.arrived_at)
    except verbs.PoolEmpty as empty:
        return _told_empty(request, application, question, empty)
    if _is_script(request):
        return _where_it_stands(request, application, question)
    return redirect("evidence:container", application.reference, question.key)


def _where_it_stands(request, application, question):
    drawn = verbs.live_container(application, question)
    if drawn is None:
        return _answer(request, application, question, DRAW, "evidence/_draw.html")
    if drawn.activated_at:
        return _answer(request, application, question, ACTIVATED, "evidence/_activated.html")
    return _credentials(request, application, question, drawn, ActivationForm(initial={"container": drawn.file_id}))


def _credentials(request, application, question, drawn: Container, form: ActivationForm):
    try:
        password = verbs.password_of(drawn)
    except CannotOpen:
        raise NotNow("Les identifiants de ce conteneur ne peuvent pas être lus. Écrivez à l’équipe support.") from None
    context = {"form": form, "username": drawn.username, "password": password}
    return _answer(request, application, question, DRAW, "evidence/_credentials.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def activate(request, reference, key):
    """« Activer le téléchargement du conteneur ZED »: erases the credentials."""
    application, question = _space(request, reference, key)
    if request.method != "POST":
        return redirect("evidence:container", reference, key)
    form = ActivationForm(request.POST)
    if form.is_valid():
        shown = str(form.cleaned_data["container"])
        verbs.activate(application, question, shown=shown, by=request.user, at=request.arrived_at)
        return _done(request, application, question, "Le téléchargement du conteneur ZED est activé.")
    drawn = verbs.live_container(application, question)
    if drawn is None or drawn.activated_at or "container" in form.errors:
        raise NotNow(verbs.REPLACED)
    return _credentials(request, application, question, drawn, form)


@comes_back
@require_http_methods(["GET", "HEAD", "POST"])
def reissue(request, reference, key):
    """The credentials are lost: a reason, then a fresh container."""
    application, question = _space(request, reference, key)
    drawn = verbs.live_container(application, question)
    if not law.is_open_for_answers(application, request.arrived_at):
        raise NotNow(CLOSED)
    if drawn is None or not drawn.activated_at:
        raise NotNow("Ce conteneur n’est pas encore activé : ses identifiants se lisent sur votre formulaire.")
    form = ReissueForm(filled(request), initial={"container": drawn.file_id})
    if request.method == "POST" and form.is_valid():
        return _reissue(request, application, question, form.cleaned_data)
    return _answer(request, application, question, REISSUE, "evidence/_reissue.html", {"form": form})


def _reissue(request, application, question, typed: dict):
    try:
        verbs.reissue(
            application,
            question,
            shown=str(typed["container"]),
            reason=typed["reason"],
            by=request.user,
            at=request.arrived_at,
        )
    except verbs.PoolEmpty as empty:
        return _told_empty(request, application, question, empty)
    if _is_script(request):
        return _where_it_stands(request, application, question)
    messages.success(request, "Un nouveau conteneur vous est attribué. Un e-mail vous le confirme.")
    return redirect("evidence:container", application.reference, question.key)


@require_GET
def download(request, reference, key):
    """The container itself, once activated; each download is noted in the journal."""
    application, question = _space(request, reference, key)
    drawn = verbs.live_container(application, question)
    if drawn is None:
        raise Http404
    if not drawn.activated_at:
        raise NotNow("Activez d’abord le téléchargement de ce conteneur.")
    response = sealed_response(drawn.file, name=f"{application.reference}-{question.container}-{drawn.file.name}")
    verbs.note_download(drawn, by=request.user)
    return response


# --- what these pages answer --------------------------------------------------------------------------------------
def _is_script(request) -> bool:
    return request.headers.get("Accept") == "application/json"


def _answer(request, application, question, title: str, body: str, context: dict | None = None, *, status: int = 200):
    """The body of a dialog for `container.js`, a whole page for anybody else."""
    back = space_address(application, question.key)
    context = (context or {}) | {"application": application, "question": question, "back": back, "title": title}
    if _is_script(request):
        html = render_to_string(body, context, request)
        return JsonResponse({"title": title, "html": html, "space": _block(context, request)}, status=status)
    context |= {
        "body": body,
        "crumbs": [
            ("Tableau de bord", reverse("applications:dashboard")),
            (application.domain.name, back),
            (title, ""),
        ],
    }
    return render(request, "evidence/container.html", context, status=status)


def _block(context: dict, request) -> str:
    """What the space shows of its container now."""
    return render_to_string("evidence/_container.html", context, request)


def _told_empty(request, application, question, empty: verbs.PoolEmpty):
    return _answer(
        request, application, question, EMPTY, "evidence/_pool_empty.html", {"message": str(empty)}, status=409
    )


def _done(request, application, question, message: str):
    """The dialog closes, or the page leads back to the space."""
    if _is_script(request):
        space = _block({"application": application, "question": question}, request)
        return JsonResponse({"space": space, "message": message})
    messages.success(request, f"{message} Vous pouvez maintenant le télécharger.")
    return redirect(space_address(application, question.key))


# --- the ANS ------------------------------------------------------------------------------------------------------
@receives("ans", "administrator", archive=MOST_BYTES, table=10 * MEGABYTE)
@require_http_methods(["GET", "HEAD", "POST"])
def containers(request):
    """The pools, and a batch to load: all of it or nothing."""
    if not may_load_containers(request.user):
        raise PermissionDenied
    form = BatchForm(*((request.POST, request.FILES) if request.method == "POST" else ()))
    if request.method == "POST" and form.is_valid() and _load(request, form):
        return redirect("evidence:containers")
    context = {"form": form, "pools": verbs.pools(), "threshold": settings.CONTAINER_POOL_THRESHOLD}
    return render(request, "evidence/containers.html", context)


@require_GET
def reissues(request):
    """Who lost the credentials of a container, and why; the latest first."""
    if not request.user.is_ans:
        raise PermissionDenied
    words = searched(request)
    found = (
        Container.objects.reissued()
        .matching(words)
        .select_related("application__establishment__ght", "domain", "reissued_by")
    )
    table = lay_out(ReissueTable(found, is_search=bool(words)), request, length=25)
    crumbs = [("Conteneurs", reverse("evidence:containers")), ("Conteneurs remplacés", "")]
    return render(request, "evidence/reissues.html", {"table": table, "words": words, "crumbs": crumbs})


def _load(request, form: BatchForm) -> bool:
    try:
        verbs.load(form.batch.containers, by=request.user, at=request.arrived_at)
    except verbs.AlreadyKnown:
        form.add_error(None, "Un conteneur de ce lot a été chargé entre-temps : rien n’a été chargé.")
        return False
    count = len(form.batch.containers)
    messages.success(request, f"{count} conteneur{'s chargés' if count > 1 else ' chargé'} dans la réserve.")
    return True
