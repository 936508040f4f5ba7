"""« Double authentification » of an agent: to enrol an application, keep recovery codes, give both up."""

import io
from functools import wraps

import segno
from allauth.core import ratelimit
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from accounts import enrolments, rules, second_factor
from accounts.actions import Outcome
from accounts.agent_forms import EnrolForm, OwnPasswordForm, RemoveSecondFactorForm
from accounts.models import Authenticator
from accounts.views.sign_in import told_of_second_factor

UNKNOWN = (
    "Ce n’est pas le code attendu. Vérifiez que votre application affiche bien le compte eCaRE, attendez le code "
    "suivant, et que l’heure de votre téléphone est juste."
)


def agents_page(view):
    """Référents have no second factor."""

    @wraps(view)
    def page(request):
        if not rules.may_enrol(request.user):
            raise PermissionDenied
        return view(request)

    return page


@require_GET
@agents_page
def overview(request):
    context: dict = {"must": rules.second_factor_is_required_of(request.user)}
    if request.user.second_factor_since:
        context["device"] = Authenticator.objects.filter(user=request.user).first()
        context["codes_left"] = second_factor.codes_left(request.user)
    return render(request, "accounts/second_factor.html", context)


@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
@agents_page
def enrol(request):
    if request.user.second_factor_since:
        messages.info(request, "La double authentification est déjà active.")
        return redirect("accounts:second_factor")
    if request.method == "POST" and (
        refused := ratelimit.consume_or_429(request, action="second_factor", user=request.user)
    ):
        return refused
    key = enrolments.offered_key(request)
    form = EnrolForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            codes = _enrol(request, key, form.cleaned_data["code"])
        except second_factor.AlreadyEnrolled:
            return redirect("accounts:second_factor")
        if codes:
            request.session.cycle_key()  # whoever holds a copy of its cookie does not come along
            enrolments.finish(request, codes)
            messages.success(request, "La double authentification est active.")
            return redirect("accounts:recovery_codes")
        form.add_error("code", UNKNOWN)
    device = Authenticator.of(request.user, key)
    return render(
        request,
        "accounts/enrol.html",
        {"form": form, "device": device, "must": rules.second_factor_is_required_of(request.user)},
    )


def _enrol(request, key: bytes, typed: str) -> list[str] | None:
    known = {"attempt": request.user.otp_device, "current": request.session.session_key}
    return second_factor.enrol(request.user, key=key, typed=typed, **known)


@require_GET
@agents_page
def qr_code(request):
    """The key that this session offers, as an image for the application."""
    key = enrolments.known_key(request)
    if key is None or request.user.second_factor_since:
        raise Http404
    image = io.BytesIO()
    segno.make(Authenticator.of(request.user, key).config_url, error="m").save(
        image, kind="svg", scale=5, border=4, light="#fff", xmldecl=False
    )
    return HttpResponse(image.getvalue(), content_type="image/svg+xml")


@require_http_methods(["GET", "HEAD"])
@agents_page
def recovery_codes(request):
    """Once: the next visit leads back to the overview."""
    codes = enrolments.take_codes(request)
    if not codes:
        return redirect("accounts:second_factor")
    return render(request, "accounts/recovery_codes.html", {"codes": codes})


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
@agents_page
def renew_recovery_codes(request):
    if not request.user.second_factor_since:
        return redirect("accounts:second_factor")
    if request.method == "POST" and (
        refused := ratelimit.consume_or_429(request, action="second_factor", user=request.user)
    ):
        return refused
    form = OwnPasswordForm(request.user, request.POST if request.method == "POST" else None)
    if form.is_valid():
        enrolments.finish(request, second_factor.renew_recovery_codes(request.user))
        messages.success(request, "Dix nouveaux codes de secours remplacent les précédents.")
        return redirect("accounts:recovery_codes")
    left = second_factor.codes_left(request.user)
    return render(request, "accounts/renew_recovery_codes.html", {"form": form, "codes_left": left})


@sensitive_post_parameters("password", "code")
@require_http_methods(["GET", "HEAD", "POST"])
@agents_page
def remove(request):
    if not request.user.second_factor_since:
        return redirect("accounts:second_factor")
    if request.method == "POST" and (
        refused := ratelimit.consume_or_429(request, action="second_factor", user=request.user)
    ):
        return refused
    form = RemoveSecondFactorForm(request.user, request.POST if request.method == "POST" else None)
    if form.is_valid():
        verdict = second_factor.remove(request.user, typed=form.cleaned_data["code"], attempt=request.user.otp_device)
        if verdict.outcome in (Outcome.RIGHT, Outcome.SPENT):
            messages.success(request, "La double authentification est désactivée.")
            return redirect("accounts:second_factor")
        form.add_error("code", told_of_second_factor(verdict, counts_tries=False))
    return render(
        request,
        "accounts/remove_second_factor.html",
        {"form": form, "must": rules.second_factor_is_required_of(request.user)},
    )
