"""An agent at work on one dossier: who has it in hand, its files, notes and opinions, its letters; their phrases."""

from csp.constants import SELF
from csp.decorators import csp_update
from django.contrib import messages
from django.http import Http404, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.typed import comes_back, filled, is_confirmed
from applications import rehearsal
from applications.actions import NotNow
from applications.models import Application
from applications.states import Desk
from ecare.french import paris_hour
from ecare.letters.models import Letter
from reviews import claims, readers, remarks, rules
from reviews.desk_forms import AskOpinionForm, GiveOpinionForm, NoteForm, PhraseForm, PiecesForm
from reviews.models import Note, Opinion, Phrase
from reviews.queue import require_reviewer
from reviews.tables import badge_kind
from reviews.views import HOME, visible_dossier


def _dossier(request, reference: str) -> Application:
    application = visible_dossier(request, reference)
    require_reviewer(request.user)
    return application


def _crumbs(application: Application, title: str) -> list:
    return [*HOME, (application.reference, reverse("reviews:dossier", args=[application.reference])), (title, "")]


def _to_dossier(application: Application, anchor: str = ""):
    address = reverse("reviews:dossier", args=[application.reference])
    return redirect(f"{address}#{anchor}" if anchor else address)


# --- who has it in hand -------------------------------------------------------------------------------------------
@require_POST
def claim(request, reference):
    """« Examiner ce dossier », « Prolonger », « Reprendre l’examen »; a script asks again while the page is read."""
    application = _dossier(request, reference)
    is_taken_over = request.POST.get("reprendre") == "1"
    is_script = request.headers.get("Accept") == "application/json"
    try:
        held = claims.claim(application, by=request.user, at=request.arrived_at, is_taken_over=is_taken_over)
    except NotNow as refusal:
        if is_script:
            return JsonResponse({"message": str(refusal)}, status=409)
        messages.warning(request, str(refusal))
        return _to_dossier(application)
    if is_script:
        return JsonResponse({"until": paris_hour(held.until)})
    messages.success(request, f"Vous examinez ce dossier, jusqu’à {paris_hour(held.until)}.")
    return _to_dossier(application)


@require_POST
def release(request, reference):
    application = _dossier(request, reference)
    if claims.release(application, by=request.user):
        messages.success(request, "Vous n’examinez plus ce dossier : vos collègues peuvent décider.")
    return _to_dossier(application)


# --- files --------------------------------------------------------------------------------------------------------
@csp_update({"frame-src": [SELF]})  # the preview, in a sandbox of its own
@comes_back
@require_http_methods(["GET", "HEAD", "POST"])
def pieces(request, reference):
    """Each file of the last sending beside its preview, accepted or refused piece by piece."""
    application = _dossier(request, reference)
    lines = readers.spaces_sent(application, user=request.user)
    verdicts = readers.verdicts(application, desk=Desk.of(request.user))
    may_judge = rules.may_judge(request.user, application)
    form = PiecesForm(lines, verdicts, filled(request))
    if request.method == "POST" and form.is_valid():
        count = remarks.judge(application, by=request.user, judged=form.judged(), at=request.arrived_at)
        messages.success(request, _said_of_pieces(count))
        return redirect("reviews:pieces", reference)
    shown = request.GET.get("piece", "")
    context = {
        "application": application,
        "badge": badge_kind(application),
        "crumbs": _crumbs(application, "Examiner les pièces"),
        "form": form,
        "may_judge": may_judge,
        "shown": next((piece.file for piece in form.pieces if piece.file.id == shown), None),
        "others": readers.verdicts_of_the_other_desk(application, desk=Desk.of(request.user)),
    }
    return render(request, "reviews/pieces.html", context)


def _said_of_pieces(count: int) -> str:
    if not count:
        return "Rien n’a changé dans l’examen des pièces."
    return f"Examen enregistré pour {count} pièce{'s' if count > 1 else ''}. Rien n’est envoyé à l’établissement."


# --- notes and opinions -------------------------------------------------------------------------------------------
@comes_back
@require_http_methods(["GET", "HEAD", "POST"])
def add_note(request, reference):
    application = _dossier(request, reference)
    form = NoteForm(filled(request), user=request.user)
    if request.method == "POST" and form.is_valid():
        remarks.add_note(application, by=request.user, **form.cleaned_data)
        messages.success(request, "La note est enregistrée.")
        return _to_dossier(application, "notes")
    return _ask(request, application, form, title="Ajouter une note", button="Enregistrer la note")


@require_POST
def remove_note(request, reference, pk):
    application = _dossier(request, reference)
    note = get_object_or_404(Note.objects.visible_to(request.user).filter(application=application), pk=pk)
    remarks.remove_note(note, by=request.user)
    messages.success(request, "La note est supprimée.")
    return _to_dossier(application, "notes")


@comes_back
@require_http_methods(["GET", "HEAD", "POST"])
def ask_opinion(request, reference):
    application = _dossier(request, reference)
    colleagues = rules.colleagues_to_ask(application, by=request.user)
    form = AskOpinionForm(colleagues, filled(request))
    if is_confirmed(request, form):
        opinion = remarks.ask_opinion(application, by=request.user, **form.cleaned_data)
        messages.success(request, f"Votre demande d’avis est envoyée à {opinion.of}.")
        return _to_dossier(application, "avis")
    context = {
        "recipients": [form.chosen()] if form.chosen() else [],
        "awaited": "Un courrier électronique partira à l’agent que vous choisirez.",
        "letters": colleagues
        and rehearsal.letters_of(
            lambda: remarks.ask_opinion(application, by=request.user, **form.specimen()), subject=application.subject
        ),
    }
    return _ask(request, application, form, title="Demander un avis", button="Envoyer la demande", **context)


@comes_back
@require_http_methods(["GET", "HEAD", "POST"])
def give_opinion(request, reference, pk):
    """By whom it was asked of, and nobody else (404: nobody else is told that it was)."""
    application = _dossier(request, reference)
    mine = Opinion.objects.select_related("asked_by").filter(application=application, of=request.user)
    opinion = get_object_or_404(mine, pk=pk)
    form = GiveOpinionForm(filled(request))
    if is_confirmed(request, form):
        remarks.give_opinion(opinion, by=request.user, at=request.arrived_at, **form.cleaned_data)
        messages.success(request, f"Votre avis est transmis à {opinion.asked_by}.")
        return _to_dossier(application, "avis")
    context = {
        "opinion": opinion,
        "recipients": [opinion.asked_by] if rules.may_be_asked(opinion.asked_by, application) else [],
        "letters": rehearsal.letters_of(
            lambda: remarks.give_opinion(opinion, by=request.user, at=request.arrived_at, **form.specimen()),
            subject=application.subject,
        ),
    }
    return _ask(request, application, form, title="Donner un avis", button="Transmettre l’avis", **context)


def _ask(request, application, form, *, title: str, button: str, **context):
    if "letters" in context:
        context |= {"has_message": True, "letters_note": form.letters_note}
    context |= {
        "application": application,
        "badge": badge_kind(application),
        "crumbs": _crumbs(application, title),
        "form": form,
        "title": title,
        "button": button,
    }
    return render(request, "reviews/ask.html", context)


# --- letters ------------------------------------------------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
def resend_letter(request, reference, pk):
    """A page that shows the letter and says to whom, then a new letter with the same words."""
    application = _dossier(request, reference)
    letter = get_object_or_404(Letter.objects.about(application.subject), pk=pk)
    if request.method == "POST":
        remarks.resend_letter(letter, application, by=request.user)
        messages.success(request, f"Le courrier est renvoyé à {letter.recipient}.")
        return _to_dossier(application, "courriers")
    if not rules.may_be_resent(letter, application):
        raise NotNow(remarks.NOT_RESENT)
    return _letter(request, application, letter, "reviews/resend.html", "Renvoyer un courrier")


@require_safe
def read_letter(request, reference, pk):
    """A letter about the dossier as it was written, without any way to send it."""
    application = _dossier(request, reference)
    letter = get_object_or_404(Letter.objects.about(application.subject), pk=pk)
    if letter.carries_secret:
        raise Http404
    return _letter(request, application, letter, "reviews/letter.html", "Lire un courrier")


def _letter(request, application, letter, template, title):
    context = {
        "application": application,
        "badge": badge_kind(application),
        "crumbs": _crumbs(application, title),
        "title": title,
        "letter": letter,
    }
    return render(request, template, context)


# --- phrases ------------------------------------------------------------------------------------------------------
@require_safe
def phrases(request):
    require_reviewer(request.user)
    context = {"phrases": request.user.phrases.all(), "crumbs": [*HOME, ("Mes phrases", "")]}
    return render(request, "reviews/phrases.html", context)


@comes_back
@require_http_methods(["GET", "HEAD", "POST"])
def edit_phrase(request, pk=None):
    require_reviewer(request.user)
    phrase = get_object_or_404(request.user.phrases, pk=pk) if pk else Phrase(owner=request.user)
    form = PhraseForm(filled(request), instance=phrase)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, f"La phrase «\u00a0{phrase.title}\u00a0» est enregistrée.")
        return redirect("reviews:phrases")
    title = "Modifier une phrase" if pk else "Nouvelle phrase"
    crumbs = [*HOME, ("Mes phrases", reverse("reviews:phrases")), (title, "")]
    return render(request, "reviews/phrase.html", {"form": form, "title": title, "crumbs": crumbs})


@require_POST
def remove_phrase(request, pk):
    require_reviewer(request.user)
    phrase = get_object_or_404(request.user.phrases, pk=pk)
    phrase.delete()
    messages.success(request, f"La phrase «\u00a0{phrase.title}\u00a0» est supprimée.")
    return redirect("reviews:phrases")
