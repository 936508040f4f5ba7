"""Registration, in three steps; each page reads and writes the draft kept in the session."""

import re
from functools import wraps

from allauth.core import ratelimit
from captcha.helpers import captcha_image_url
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import actions, captcha, facts
from accounts.drafts import Draft
from accounts.forms import EmailForm, KindForm, PersonForm
from accounts.tables import EntityChoiceTable, GhtChoiceTable, LegalEntityTable, SiteTable
from ecare.lists import lay_out, searched
from establishments.models import Establishment

TAKEN = "nom-pris"  # in the address: the name was taken between the first step and the last
STEPS = ["Informations personnelles", "Informations de l’établissement de santé", "Récapitulatif"]


def registration_page(view):
    """A page of the registration: open to all but the signed-in, never stored, its draft in `request.draft`."""

    @login_not_required
    @never_cache
    @require_http_methods(["GET", "HEAD", "POST"])
    @sensitive_post_parameters("password1", "password2")
    @wraps(view)
    def page(request):
        if request.user.is_authenticated:
            return redirect("accounts:account")
        if refused := ratelimit.consume_or_429(request, action="registration"):
            return refused
        request.draft = Draft(request)
        return view(request)

    return page


def _show(request, template, *, current, **context):
    return render(request, f"accounts/{template}.html", {"steps": STEPS, "current": current, **context})


# --- step 1 -------------------------------------------------------------------------------------------------
@registration_page
def register(request):
    draft = request.draft
    passed = {"password_about": draft.password_about, "is_human": draft.is_human}
    if request.method != "POST":
        # Checked again when the name was taken meanwhile: the field says so, with others to choose from.
        typed = draft.initial() if TAKEN in request.GET else None
        return _show_person(request, PersonForm(typed, initial=draft.initial(), **passed))
    form = PersonForm(request.POST, **passed)
    is_valid = form.is_valid()
    draft.keep_what_was_passed(form)
    if "challenge" in request.POST:
        return _show_person(request, PersonForm(initial=request.POST.dict(), **passed))
    if not is_valid:
        return _show_person(request, form)
    draft.keep_person(form.cleaned_data)
    return redirect("accounts:register_establishment")


def _show_person(request, form):
    """The form, with a fresh challenge if one is still to be passed."""
    draft = request.draft
    form.spare(has_password=bool(draft.password_hash), is_human=draft.is_human)
    wanted = request.POST.get("challenge") or request.POST.get("captcha_kind")
    challenge = None if draft.is_human else _challenge(written=wanted == "written")
    return _show(request, "register", current=1, form=form, challenge=challenge)


def _challenge(*, written: bool) -> dict:
    key = captcha.new_key(written=written)
    return {
        "key": key,
        "kind": "written" if written else "image",
        "image": "" if written else captcha_image_url(key),
        "question": captcha.asked(key) if written else "",
    }


@login_not_required
@never_cache
@require_POST
def challenge(request):
    """Another image or another question, for a page that changes it without being sent."""
    if not ratelimit.consume(request, action="challenge"):
        return HttpResponse(status=429)
    return JsonResponse(_challenge(written=request.POST.get("kind") == "written"))


# --- step 2 -------------------------------------------------------------------------------------------------
@registration_page
def register_establishment(request):
    draft = request.draft
    if not _has_person(draft):
        return redirect("accounts:register")
    if request.method != "POST":
        initial = {"kind": draft.kind, "region": draft.region}
        return _show(request, "register_establishment", current=2, form=KindForm(initial=initial))
    form = KindForm(request.POST)
    is_valid = form.is_valid()
    region = form.cleaned_data.get("region")  # what is right is kept, be the rest missing
    draft.keep_kind(kind=form.cleaned_data.get("kind") or "", region=region.pk if region else None)
    if "previous" in request.POST:
        return redirect("accounts:register")
    if not is_valid:
        return _show(request, "register_establishment", current=2, form=form)
    return redirect("accounts:choose_establishment")


@registration_page
def choose_establishment(request):
    draft = request.draft
    if not (_has_person(draft) and draft.has_kind):
        return redirect("accounts:register_establishment")
    words = searched(request)
    if request.method == "POST":
        chosen = request.POST.get("establishment", "")
        establishment = draft.choices().filter(pk=chosen).first() if re.fullmatch("[0-9]{1,18}", chosen) else None
        if establishment:
            draft.keep_establishment(establishment, words=words)
            return redirect("accounts:check_establishment")
        messages.error(request, "Cet établissement ne peut pas être choisi. Sélectionnez-en un dans la liste.")
    is_ght = draft.kind == Establishment.Kind.GHT
    rows = draft.choices().matching(words)
    kind = GhtChoiceTable if is_ght else EntityChoiceTable
    table = lay_out(kind(rows, chosen=draft.chosen, order_by="code" if is_ght else "name"), request, length=10)
    if is_guess := bool(words and not table.paginator.count):
        table = lay_out(kind(draft.choices().resembling(words), chosen=draft.chosen), request, length=10)
        is_guess = bool(table.paginator.count)
    context = {"draft": draft, "table": table, "words": words, "is_guess": is_guess}
    return _show(request, "choose_establishment", current=2, **context)


@registration_page
def check_establishment(request):
    establishment = _has_person(request.draft) and request.draft.establishment
    if not establishment:
        return redirect("accounts:choose_establishment")
    words = searched(request)
    rows = establishment.entities().matching(words)
    table = (LegalEntityTable if establishment.ght_id else SiteTable)(rows, order_by="name")
    lay_out(table, request, length=10)
    context = {"establishment": establishment, "facts": facts.of_establishment(establishment), "words": words}
    context["searched"] = request.draft.words
    return _show(request, "check_establishment", current=2, table=table, **context)


# --- step 3 -------------------------------------------------------------------------------------------------
@registration_page
def register_recap(request):
    draft = request.draft
    establishment = draft.establishment
    if not _has_person(draft) or not establishment:
        return redirect("accounts:check_establishment")
    if request.method != "POST":
        person_facts, establishment_facts = facts.of_person(draft.person), facts.of_establishment(establishment)
        return _show(request, "register_recap", current=3, person_facts=person_facts, facts=establishment_facts)
    if refused := ratelimit.consume_or_429(request, action="register"):
        return refused
    return _create_account(request, establishment)


def _create_account(request, establishment):
    draft = request.draft
    try:
        actions.register(draft.person, password_hash=draft.password_hash, establishment=establishment)
    except actions.UsernameTaken:
        messages.error(request, "Ce nom d’utilisateur vient d’être pris. Choisissez-en un autre.")
        return redirect(f"{reverse('accounts:register')}?{TAKEN}")
    except actions.EstablishmentClosed:
        messages.error(request, "Cet établissement vient de fermer dans le répertoire. Choisissez-en un autre.")
        return redirect("accounts:choose_establishment")
    draft.forget()
    return redirect("accounts:registered")


@registration_page
def registered(request):
    return render(request, "accounts/registered.html")


def _has_person(draft) -> bool:
    """Step 1 is passed, and the password that is kept was checked against this very person."""
    person, about = draft.person, draft.password_about
    return bool(person and about) and all(getattr(person, name) == value for name, value in about.items())


# --- the link that activates --------------------------------------------------------------------------------
@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def resend_activation(request):
    """One answer and one letter, whether the e-mail has an account, awaits its activation, or is unknown."""
    form = EmailForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if refused := ratelimit.consume_or_429(request, action="resend_activation"):
            return refused
        actions.resend_activation(form.cleaned_data["email"])
        return redirect("accounts:activation_resent")
    return render(request, "accounts/resend_activation.html", {"form": form})


@login_not_required
@require_GET
def activation_resent(request):
    return render(request, "accounts/activation_resent.html")
