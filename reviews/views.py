"""The reviewers' pages: find the visible dossier, ask permission, read the form, call one verb, answer."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse, reverse_lazy
from django.views.decorators.http import require_http_methods, require_safe

from accounts.typed import comes_back, filled, is_confirmed, take_up
from applications import actions as verbs
from applications import amends, rehearsal
from applications.actions import NotNow
from applications.models import Application
from applications.rules import deadline, has_convention_page, may, may_now
from applications.states import Desk
from conventions.rules import MAX_BYTES
from ecare.receiving import receives
from evidence.bank_forms import spoken_details
from evidence.models import BankDetails
from evidence.rules import bank_questions
from evidence.views import sealed_response
from funding import actions as funding
from reviews import actions, claims, readers, rules
from reviews.concerns import concerns
from reviews.decisions import DECISIONS, REFUSE_COPY, Decision
from reviews.models import Convention, Note
from reviews.queue import next_in_turn, require_reviewer
from reviews.tables import badge_kind

HOME = (("Dossiers", reverse_lazy("reviews:queue")),)


def visible_dossier(request, reference: str) -> Application:
    """The dossier if this person may see it (else 404)."""
    dossiers = Application.objects.visible_to(request.user).select_related(
        "domain",
        "referent",
        "establishment__region",
        "establishment__legal_entity__department",
        "establishment__ght",
        "convention__file",
        "convention__recorded_by",
        "claim__agent",
    )
    return get_object_or_404(dossiers, reference=reference)


@require_safe
def dossier(request, reference):
    """Everything an agent reads before deciding, and the decisions they may take now."""
    application = visible_dossier(request, reference)
    require_reviewer(request.user)
    return render(request, "reviews/dossier.html", _reading(request, application))


def _reading(request, application) -> dict:
    followed = list(application.assignments.select_related("agent").order_by("desk"))
    mine = next((held.agent for held in followed if held.desk == Desk.of(request.user)), None)
    entities = list(application.establishment.entities())
    requests = readers.change_requests(application)
    asked = next((one for one in requests if one.answered_at is None), None)
    history = readers.history(application)
    others = Application.objects.visible_to(request.user).filter(establishment=application.establishment)
    return {
        "application": application,
        "badge": badge_kind(application),
        "crumbs": [*HOME, (application.reference, "")],
        "decisions": _decisions(request.user, application),
        "awaited": readers.awaited(application),
        "claim": _live_claim(application, request.arrived_at),
        "may_examine": rules.may_examine(request.user, application),
        "may_judge": rules.may_judge(request.user, application),
        "readings": readers.readings(application, entities, requests, user=request.user),
        "entities": entities,
        "contacts": readers.contacts(application),
        "change_request": asked,
        "may_move_due_date": asked is not None and asked.desk == Desk.of(request.user),
        "next": next_in_turn(request, application.reference),
        "sent_back": readers.sent_back(application, history),
        "convention": getattr(application, "convention", None),
        "signed_copies": application.signed_copies.select_related("file", "by")
        if has_convention_page(application)
        else [],
        "deadline": deadline(application, request.arrived_at, request=asked),
        "bank_details": _bank_details(application),
        "history": history,
        "letters": readers.letters(application),
        "notes": Note.objects.visible_to(request.user).filter(application=application).select_related("author"),
        "opinions": application.opinions.select_related("asked_by", "of"),
        "followed": followed,
        "is_followed": mine == request.user,
        "followed_by": mine,
        "others": others.exclude(pk=application.pk).select_related("domain"),
    }


def _live_claim(application, at):
    claim = getattr(application, "claim", None)
    return claim if claim and claim.is_live(at) else None


def _bank_details(application) -> list[tuple[BankDetails, list]]:
    """Those asked for after acceptance, as they read; what was sent before stands in the candidature."""
    asked = list(application.bank_details.select_related("by", "decided_by", "file"))
    fields = bank_questions(application).fields if asked else []
    return [(one, spoken_details(fields, one.values)) for one in asked]


def _decisions(user, application) -> list[dict]:
    """The buttons: only for what this person may do now."""
    found = [
        {
            "title": decision.words_for(application).title,
            "style": decision.style,
            "url": reverse(f"reviews:{verb}", args=[application.reference]),
        }
        for verb, decision in DECISIONS.items()
        if may_now(user, verb, application)
    ]
    if user.is_ans and application.is_to_countersign:
        url = reverse("reviews:refuse_copy", args=[application.reference])
        found.insert(1, {"title": REFUSE_COPY.words.title, "style": REFUSE_COPY.style, "url": url})
    return found


@require_safe
def convention(request, reference):
    """The signed convention, for the référent of the dossier and its reviewers; each download is in the journal."""
    application = visible_dossier(request, reference)
    signed = get_object_or_404(Convention.objects.select_related("file"), application=application)
    response = sealed_response(signed.file, name=f"{reference}-convention-{signed.file.name}")
    actions.note_download(signed, by=request.user)
    return response


# --- deciding -----------------------------------------------------------------------------------------------------
@comes_back
def accept(request, reference):
    return _decide(request, reference, DECISIONS["accept"], funding.accept)


@comes_back
def request_changes(request, reference):
    return _decide(request, reference, DECISIONS["request_changes"], verbs.request_changes)


@comes_back
def cancel_changes(request, reference):
    return _decide(request, reference, DECISIONS["cancel_changes"], amends.cancel_changes)


@comes_back
def reject(request, reference):
    return _decide(request, reference, DECISIONS["reject"], funding.reject)


@comes_back
def reopen(request, reference):
    return _decide(request, reference, DECISIONS["reopen"], funding.reopen)


@comes_back
def send_back(request, reference):
    return _decide(request, reference, DECISIONS["send_back"], verbs.send_back)


@receives("ans", upload=MAX_BYTES)
@comes_back
def sign_convention(request, reference):
    return _decide(request, reference, DECISIONS["sign_convention"], actions.sign_convention)


@comes_back
def record_payment(request, reference):
    return _decide(request, reference, DECISIONS["record_payment"], funding.record_payment)


@comes_back
def abandon(request, reference):
    return _decide(request, reference, DECISIONS["abandon"], funding.abandon)


@require_http_methods(["GET", "HEAD", "POST"])
def _decide(request, reference, decision: Decision, act):
    """GET says what the click will do and whom it writes to; POST does it. Refusals: 404, 403, 409, in this order."""
    application = visible_dossier(request, reference)
    if not may(request.user, decision.verb, application) or rules.is_for_another_desk(
        request.user, decision.verb, application
    ):
        raise PermissionDenied
    if not may_now(request.user, decision.verb, application):
        posted = request.POST if request.method == "POST" else take_up(request)[0]
        return _not_now(request, application, posted, "Cette action n’est pas possible dans l’état actuel du dossier.")
    if held := _held_by_another(request, application):
        return _not_now(request, application, request.POST, str(claims.Held(held)))
    if fault := decision.fault_of(application):
        return _not_now(request, application, request.POST, fault)
    typed = filled(request)
    options = {"application": application, "at": request.arrived_at}
    if decision.verb == "request_changes":
        options["refused"] = readers.refused_files(application, desk=Desk.of(request.user))
    form = decision.form(with_phrase(request, typed), request.FILES or None, **options)
    if is_decided(request, form):
        return _act(request, application, decision, act, form)
    return _confirm(request, application, decision, act, form)


def _held_by_another(request, application):
    claim = _live_claim(application, request.arrived_at)
    return claim if claim and claim.agent != request.user else None


INSERT = "inserer"
"""A button of the page that changes nothing: « Insérer » a phrase."""


def is_decided(request, form) -> bool:
    """Whether the page is to do what it says, rather than to show it again."""
    return INSERT not in request.POST and is_confirmed(request, form)


def with_phrase(request, typed):
    """What was typed, and at the end of the message the phrase whose button was pressed."""
    if typed is None or INSERT not in typed:
        return typed
    phrase = request.user.phrases.filter(pk=typed[INSERT]).first() if typed[INSERT].isdecimal() else None
    if phrase is None:
        return typed
    more = typed.copy()
    more["message"] = "\n\n".join(filter(None, [typed.get("message", "").rstrip(), phrase.text]))
    return more


def _act(request, application, decision, act, form):
    words = decision.words_for(application)
    try:
        claims.decide(act, application, by=request.user, now=request.arrived_at, **form.arguments())
    except NotNow as refusal:
        return _not_now(request, application, request.POST, str(refusal))
    return done(request, application, words)


def done(request, application, words):
    """Back on the dossier, which says so."""
    messages.success(request, f"Dossier n°\u00a0{application.reference}\u00a0: {words.done}")
    return redirect("reviews:dossier", application.reference)


def _confirm(request, application, decision, act, form):
    arguments = form.foreseen()
    if act is actions.sign_convention:  # the copy, and what it bears, write no letter
        act = verbs.sign_convention
        arguments = {name: arguments[name] for name in ("version", "signed_on", "at")}
    return ask(
        request,
        application,
        decision.words_for(application),
        form,
        lambda: act(application, by=request.user, **arguments),
        decision=decision,
        concerns=concerns(application, user=request.user) if decision.lets_go_on else (),
        recipients=rules.recipients(application, decision.verb, at=request.arrived_at),
        signed_copy=getattr(form, "copy", None),
    )


def ask(request, application, words, form, act, **more):
    """The page that says what a click will do, whom it writes to and what: the letters that `act` would write."""
    address = reverse("reviews:dossier", args=[application.reference])
    context = {
        "application": application,
        "badge": badge_kind(application),
        "crumbs": [*HOME, (application.reference, address), (words.title, "")],
        "words": words,
        "form": form,
        "has_message": "message" in form.fields,
        "phrases": request.user.phrases.all() if "message" in form.fields else (),
        "recipients": [application.referent],
        "letters": rehearsal.letters_of(act, subject=application.subject),
        **more,
    }
    return render(request, "reviews/decide.html", context)


def _not_now(request, application, posted, message: str):
    """Somebody was quicker, or the page is old: says what happened, and gives back what was typed."""
    current = visible_dossier(request, application.reference)
    context = {
        "application": current,
        "badge": badge_kind(current),
        "message": message,
        "event": readers.latest_move(current),
        "typed": (posted or {}).get("message", ""),
    }
    return render(request, "reviews/not_now.html", context, status=409)
