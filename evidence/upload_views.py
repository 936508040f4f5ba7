"""A file that takes the place of another; a file that comes in parts."""

from django.contrib import messages
from django.http import Http404, JsonResponse, UnreadablePostError
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST

from accounts.typed import PAGE_MARK
from applications import rules as law
from applications.actions import NotNow
from applications.answering import keep
from applications.views import own_dossier
from ecare.french import after_colon
from ecare.metrics import count_refused_upload
from ecare.receiving import ANY, MANY, receives
from evidence import actions, arrivals, rules
from evidence.emails import space_path
from evidence.files import Refused
from evidence.models import Evidence, Upload
from evidence.upload_forms import AnnouncementForm, ReplacementForm
from evidence.uploads import MOST_BYTES, SealedUploadHandler
from evidence.vault import PART
from evidence.views import INTERRUPTED, keep_page, lists_of, space_address, spaces_of

_PIECE = 64 * 1024


def current_evidence(request, pk) -> Evidence:
    """A file that stands in its space now, for the référent who may act on it."""
    found = Evidence.objects.visible_to(request.user).current()
    evidence = get_object_or_404(found.select_related("file", "question__section__form", "application"), file_id=pk)
    evidence.application = own_dossier(request, evidence.application.reference)
    return evidence


# --- replace ------------------------------------------------------------------------------------------------------
@csrf_exempt  # `_replace` checks the token: it is in the body, and the limit must be known before the body is read
@require_http_methods(["GET", "HEAD", "POST"])
def replace(request, pk):
    """A page that takes the new file. Its button stands in the form of the step: what is typed there is kept first."""
    evidence = current_evidence(request, pk)
    spaces = spaces_of(evidence.application).items()
    limits = {key: space.max_bytes for key, space in spaces} | {"replacement": evidence.question.max_bytes}
    handler = SealedUploadHandler(request, limits=limits)
    request.upload_handlers = [handler]
    return _replace(request, evidence, handler)


@csrf_protect
def _replace(request, evidence: Evidence, handler):
    if request.method == "POST" and PAGE_MARK in request.POST:
        keep_page(request, evidence.application, spaces_of(evidence.application))
        return redirect("evidence:replace", evidence.file_id)
    is_reopened = rules.is_reopened(evidence, evidence.application)
    if not (is_reopened or law.is_open_for_answers(evidence.application, request.arrived_at)):
        raise NotNow(actions.CLOSED)
    if not rules.is_replaceable(evidence, evidence.application):
        raise NotNow("Ce fichier n’a pas encore été transmis : retirez-le, puis déposez le nouveau.")
    form = ReplacementForm()
    if request.method == "POST":
        form = ReplacementForm(request.POST, request.FILES)
        leaves_at_once = rules.is_sent_at_once(evidence, evidence.application)
        _take(request, evidence, form, handler)
        if not form.errors:
            messages.success(request, _done(evidence, leaves_at_once=leaves_at_once))
        if request.headers.get("Accept") == "application/json":
            return _answer_script(evidence, form)
        if not form.errors:
            return redirect(space_path(evidence))
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
            count_refused_upload(refusal)
            form.add_error("replacement", f"«\u00a0{upload.name}\u00a0»\u00a0: {after_colon(str(refusal))}")


def _done(evidence: Evidence, *, leaves_at_once: bool) -> str:
    said = f"Le fichier «\u00a0{evidence.file.name}\u00a0» est remplacé"
    if leaves_at_once:
        return f"{said}, et le nouveau est transmis. La date de transmission du dossier ne change pas."
    return f"{said}."


def _answer_script(evidence: Evidence, form: ReplacementForm) -> JsonResponse:
    if form.errors:
        return JsonResponse({"errors": form.errors["replacement"]}, status=422)
    return JsonResponse({"next": space_path(evidence)})


def _page(evidence: Evidence, form: ReplacementForm) -> dict:
    application = evidence.application
    return {
        "crumbs": [
            ("Tableau de bord", reverse("applications:dashboard")),
            (application.domain.name, space_path(evidence)),
            ("Remplacer un fichier", ""),
        ],
        "application": application,
        "evidence": evidence,
        "question": evidence.question,
        "form": form,
        "back": space_path(evidence),
        "leaves_at_once": rules.is_sent_at_once(evidence, application),
    }


# --- in parts -----------------------------------------------------------------------------------------------------
@require_POST
def start_upload(request, reference):
    """Announce a file, with whatever else is typed on its page; answers what has come of it already."""
    application = own_dossier(request, reference)
    form = AnnouncementForm(request.POST)
    if not form.is_valid():
        return _refused("L’envoi n’a pas pu commencer. Rechargez la page, puis choisissez à nouveau le fichier.")
    announced = form.cleaned_data
    former = current_evidence(request, announced["replaces"]) if announced["replaces"] else None
    question = former.question if former is not None else spaces_of(application).get(announced["space"])
    if question is None or (former is not None and former.application_id != application.pk):
        raise Http404
    try:
        if PAGE_MARK in request.POST:  # the boxes that decide which spaces are shown
            keep(request, application)
        upload = arrivals.start(
            application,
            question,
            name=announced["name"],
            size=announced["size"],
            first_sha256=announced["first"],
            replaces=former,
            by=request.user,
            at=request.arrived_at,
        )
    except (Refused, NotNow) as refusal:
        return _refused(refusal)
    return JsonResponse(_progress(upload), status=201)


def _progress(upload: Upload) -> dict:
    """Where to send what; the digests tell which parts of the chosen file need not be sent again."""
    return {
        "id": str(upload.pk),
        "part_bytes": PART,
        "parts": [reverse("evidence:receive_part", args=[upload.pk, rank]) for rank in range(upload.count)],
        "received": {part.rank: part.sha256 for part in upload.parts.all()},
        "finish": reverse("evidence:finish_upload", args=[upload.pk]),
    }


def _refused(refusal) -> JsonResponse:
    if isinstance(refusal, Exception):
        count_refused_upload(refusal)
    status = 409 if isinstance(refusal, NotNow) else 422
    return JsonResponse({"message": after_colon(str(refusal))}, status=status)


def _own_upload(request, pk, **which) -> Upload:
    """For whoever started it, and nobody else."""
    found = Upload.objects.visible_to(request.user).filter(**which).select_related("application", "question__section")
    upload = get_object_or_404(found.select_related("replaces__file", "replaces__question__section__form"), pk=pk)
    upload.application = own_dossier(request, upload.application.reference)
    return upload


@require_POST
def receive_part(request, pk, rank):
    """The body is the part itself, read piece by piece: no form, no handler, no plain copy."""
    upload = _own_upload(request, pk, finished_at=None, expires_at__gt=request.arrived_at)
    pieces = iter(lambda: request.read(_PIECE), b"")
    try:
        arrivals.receive(upload, rank=rank, pieces=pieces, by=request.user, at=request.arrived_at)
    except (arrivals.CutShort, UnreadablePostError):
        return JsonResponse({"message": after_colon(INTERRUPTED)}, status=400)
    except (Refused, NotNow) as refusal:
        return _refused(refusal)
    return JsonResponse({"received": rank})


@require_POST
def finish_upload(request, pk):
    """Answers as a deposit does, or which parts are missing."""
    upload = _own_upload(request, pk, expires_at__gt=request.arrived_at)
    former = upload.replaces
    leaves_at_once = former is not None and rules.is_sent_at_once(former, upload.application)
    try:
        arrivals.finish(upload, by=request.user, at=request.arrived_at)
    except arrivals.Missing as missing:
        return JsonResponse({"missing": missing.ranks}, status=409)
    except (Refused, NotNow) as refusal:
        return _refused(refusal)
    if former is not None:
        messages.success(request, _done(former, leaves_at_once=leaves_at_once))
        return JsonResponse({"next": space_path(former)})
    return JsonResponse({"lists": lists_of(request, upload.application, [upload.question])})


@receives("referent", files=MANY, **{ANY: MOST_BYTES})
@require_POST
def give_up(request, pk):
    """« Abandonner cet envoi », from the form of the step: what is typed there is kept first."""
    upload = _own_upload(request, pk)
    if PAGE_MARK in request.POST:
        keep_page(request, upload.application, spaces_of(upload.application))
    arrivals.give_up(upload, by=request.user)
    messages.success(request, f"L’envoi du fichier «\u00a0{upload.name}\u00a0» est abandonné.")
    return redirect(space_address(upload.application, upload.question.key))
