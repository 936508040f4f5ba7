"""Putting a file in, taking it back, reading it."""

import logging
from collections.abc import Iterator

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.typed import PAGE_MARK
from applications import rules as law
from applications.actions import NotNow
from applications.answering import keep, keep_typed
from applications.models import Question, questions_of, values_of
from applications.views import own_dossier
from ecare.french import after_colon
from ecare.metrics import count_refused_upload
from ecare.receiving import ANY, MANY, receives
from ecare.sealing import CannotOpen
from evidence import actions, rules
from evidence.files import Refused
from evidence.models import Evidence, SpaceTemplate, StoredFile
from evidence.uploads import MOST_BYTES, SealedUploadHandler, keep_refusals
from evidence.vault import SealedReader, open_named

logger = logging.getLogger(__name__)
_PIECE = 256 * 1024
REMOVED = "removed_files"  # in the session: the files taken out, and their spaces
INTERRUPTED = "L’envoi s’est interrompu avant la fin. Vérifiez votre connexion, puis déposez le fichier à nouveau."


# --- put in -------------------------------------------------------------------------------------------------------
@csrf_exempt  # `_add` checks the token: it is in the body, and each space's limit must be known before the body is read
@require_POST
def add(request, reference):
    """Files for any number of spaces of a step, with whatever else was typed on the page."""
    application = own_dossier(request, reference)
    spaces = spaces_of(application)
    handler = SealedUploadHandler(request, limits={key: space.max_bytes for key, space in spaces.items()})
    request.upload_handlers = [handler]
    return _add(request, application, spaces, handler)


@csrf_protect
def _add(request, application, spaces, handler):
    if request.headers.get("Accept") == "application/json":
        return _answer_script(request, application, spaces, handler)
    key, is_all_kept = keep_page(request, application, spaces)
    if is_all_kept and "_next" in request.POST and request.FILES and not handler.interrupted:
        return redirect("applications:recap", application.reference)
    if handler.interrupted:
        messages.error(request, f"«\u00a0{handler.interrupted}\u00a0» : {after_colon(INTERRUPTED)}")
    elif not request.FILES:
        messages.warning(request, "Aucun fichier reçu. Choisissez d’abord un fichier, puis déposez-le.")
    return redirect(space_address(application, key))


def keep_page(request, application, spaces) -> tuple[str, bool]:
    """Keep what was typed and put every file in. Returns the space to show again, if files came, and whether nothing
    is to be corrected."""
    form = keep_typed(request, application)
    added, refused = _take_in(request, application, spaces)
    keep_refusals(request, application, refused)
    if added:
        messages.success(request, f"{added} fichier{'s déposés' if added > 1 else ' déposé'}.")
    if refused:
        messages.error(request, "Au moins un fichier n’a pas été déposé : la raison est indiquée dans son espace.")
    return next(iter(refused or request.FILES), ""), not (refused or form.errors)


def _take_in(request, application, spaces) -> tuple[int, dict[str, list[tuple[str, str]]]]:
    """Every file received goes in or is refused by itself. Returns how many went in, and the refusals by space."""
    added, refused = 0, {}
    for key in spaces.keys() & request.FILES.keys():
        for upload in request.FILES.getlist(key):
            try:
                actions.add(application, spaces[key], upload=upload, by=request.user, at=request.arrived_at)
                added += 1
            except (Refused, NotNow) as refusal:
                count_refused_upload(refusal)
                refused.setdefault(key, []).append((upload.name, after_colon(str(refusal))))
    return added, refused


def _answer_script(request, application, spaces, handler):
    """The same for evidence.js: the lists of the spaces as they are now, and the refusals."""
    try:
        if PAGE_MARK in request.POST:  # the boxes that decide which spaces are shown
            keep(request, application)
    except NotNow as closed:
        return JsonResponse({"message": after_colon(str(closed))}, status=409)
    added, refused = _take_in(request, application, spaces)
    lists = lists_of(request, application, [spaces[key] for key in spaces.keys() & request.FILES.keys()])
    message = after_colon(INTERRUPTED) if handler.interrupted else ""
    return JsonResponse({"lists": lists, "refused": refused, "message": message}, status=200 if added else 422)


def lists_of(request, application, spaces: list[Question]) -> dict[str, str]:
    """By space, its files as the form lists them."""
    values = values_of(application)
    about = {"application": application, "editable": True}
    return {
        space.key: render_to_string(
            "components/evidence_files.html",
            about | {"question": space, "files": values.get(space.key, [])},
            request,
        )
        for space in spaces
    }


def spaces_of(application) -> dict[str, Question]:
    return {question.key: question for question in questions_of(application.form) if question.is_evidence}


def space_address(application, key: str) -> str:
    address = reverse("applications:detail", args=[application.reference])
    return f"{address}#espace-{key}" if key else address


# --- take back ----------------------------------------------------------------------------------------------------
@receives("referent", files=MANY, **{ANY: MOST_BYTES})
@require_http_methods(["GET", "HEAD", "POST"])
def remove(request, pk):
    """A page that asks, then the verb. Its button stands in the form of the step: what is typed there is kept first."""
    found = (
        Evidence.objects.visible_to(request.user).current().select_related("application", "file", "question__section")
    )
    if str(pk) in request.session.get(REMOVED, {}):
        return _told_removed(request, pk)
    evidence = get_object_or_404(found, file_id=pk)
    application = own_dossier(request, evidence.application.reference)
    if request.method == "POST" and PAGE_MARK in request.POST:
        keep_page(request, application, spaces_of(application))
        return redirect("evidence:remove", pk)
    if request.method == "POST":
        actions.remove(evidence, by=request.user, at=request.arrived_at)
        _remember_removed(request, pk, back=space_address(application, evidence.question.key))
        messages.success(request, f"Le fichier «\u00a0{evidence.file.name}\u00a0» est retiré.")
        return redirect(space_address(application, evidence.question.key))
    if not law.is_open_for_answers(application, request.arrived_at):
        raise NotNow(actions.CLOSED)
    back = space_address(application, evidence.question.key)
    context = {
        "crumbs": [
            ("Tableau de bord", reverse("applications:dashboard")),
            (application.domain.name, back),
            ("Retirer un fichier", ""),
        ],
        "application": application,
        "evidence": evidence,
        "was_sent": evidence.added_after < application.sendings,
        "back": back,
    }
    return render(request, "evidence/remove.html", context)


def _remember_removed(request, pk, *, back: str) -> None:
    """The latest ones of this session: « Précédent » of the browser leads to a file that is no more."""
    removed = request.session.get(REMOVED, {}) | {str(pk): back}
    request.session[REMOVED] = dict(list(removed.items())[-20:])


def _told_removed(request, pk):
    messages.info(request, "Ce fichier est déjà retiré.")
    return redirect(request.session[REMOVED][str(pk)])


# --- read ---------------------------------------------------------------------------------------------------------
@require_GET
def download(request, pk):
    """To whoever sees the dossier, once scanned; a container to the ANS only. Each download is noted in the history."""
    return _given(request, _readable(request, pk))


@require_GET
def preview(request, pk):
    """The same in the browser's own window, for what it can show there."""
    evidence = _readable(request, pk)
    if not rules.is_previewed(evidence.file):
        raise Http404
    return _given(request, evidence, media_type=evidence.file.media_type)


def _readable(request, pk) -> Evidence:
    found = Evidence.objects.visible_to(request.user).select_related("application", "file", "question")
    evidence = get_object_or_404(found, file_id=pk)
    if not rules.may_download(request.user, evidence):
        raise PermissionDenied
    return evidence


def _given(request, evidence: Evidence, *, media_type: str = ""):
    name = f"{evidence.application.reference}-{evidence.question.key}-{evidence.file.name}"
    response = sealed_response(evidence.file, name=name, shown_as=media_type, is_examined=request.user.is_ans)
    actions.note_download(evidence, by=request.user)
    return response


@require_GET
def template(request, pk):
    """A model to fill in, for anybody who signed in."""
    found = get_object_or_404(SpaceTemplate, pk=pk)
    headers = {"Content-Disposition": content_disposition_header(True, found.name)}
    return HttpResponse(bytes(found.content), content_type="application/octet-stream", headers=headers)


def sealed_response(
    stored: StoredFile, *, name: str, shown_as: str = "", is_examined: bool = False
) -> StreamingHttpResponse:
    """A stored file as an attachment, or shown as a media type; in a sandbox, where no browser runs anything of it.
    `is_examined`: by whoever decides on a report. Raises NotNow, before anything is sent."""
    if not stored.is_readable and not (is_examined and stored.scan == StoredFile.Scan.REPORTED):
        raise NotNow(rules.why_unread(stored))
    return opened_response(stored.storage_name, name=name, shown_as=shown_as)


def opened_response(storage_name: str, *, name: str, shown_as: str = "") -> StreamingHttpResponse:
    """The same for whatever rests in the vault under that name. Raises NotNow, before anything is sent."""
    try:
        reader, first = _begun(storage_name)
    except CannotOpen:
        logger.exception("%s cannot be opened", storage_name)
        raise NotNow(
            "Ce fichier est absent ou altéré : il ne peut pas être remis. Écrivez à l’équipe support."
        ) from None
    response = StreamingHttpResponse(_Pieces(reader, first), content_type=shown_as or "application/octet-stream")
    response["Content-Length"] = reader.size
    response["Content-Disposition"] = content_disposition_header(not shown_as, name) or ""
    response["X-Content-Type-Options"] = "nosniff"
    ancestors = "'self'" if shown_as else "'none'"  # a preview stands beside the answers on our own pages
    response["Content-Security-Policy"] = f"sandbox; default-src 'none'; frame-ancestors {ancestors}"
    response["X-Frame-Options"] = "SAMEORIGIN" if shown_as else "DENY"
    response["Cache-Control"] = "no-store, private"
    return response


def _begun(storage_name: str) -> tuple[SealedReader, bytes]:
    """The open file and its first piece, which proves that it opens. Raises CannotOpen."""
    reader = open_named(storage_name)
    try:
        return reader, reader.read(_PIECE)
    except CannotOpen:
        reader.close()
        raise


class _Pieces:
    """An altered segment breaks the transfer off: the browser then reports a failed download."""

    def __init__(self, reader: SealedReader, first: bytes):
        self._reader, self._first = reader, first

    def __iter__(self) -> Iterator[bytes]:
        yield self._first
        while piece := self._reader.read(_PIECE):
            yield piece

    def close(self) -> None:
        """Called with the response, even if nobody read it."""
        self._reader.close()
