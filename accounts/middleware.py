"""The doors that every page stands behind: a whole sign-in, a session that ends, the terms in force, the second factor
of those who must have one."""

from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME, logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.http import url_has_allowed_host_and_scheme

from accounts import facts, rules, typed
from accounts.models import BROWSER, OPENED_AT, SEEN_AT, OpenSession, Terms

EXPIRED = "Votre session a expiré. Reconnectez-vous pour continuer."
ENDED = "Votre session a pris fin. Reconnectez-vous pour continuer."
KEPT = "Ce que vous aviez saisi est conservé pendant une heure : vous le retrouverez dans le formulaire."
LOST = "Votre dernière saisie n’a pas été enregistrée."
IN_THE_TAB = "Ce que cet onglet a pu garder reviendra dans le formulaire."
TO_ENROL = "Activez d’abord la double authentification."
SEEN_PRECISION = 60  # seconds; spares a write of the session at each request


class PrivatePageMiddleware:
    """Only a session that passed each code counts as signed in; it ends when idle or old; its pages are not stored."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.ended_for = None  # whose session ends with this very request
        if request.user.is_authenticated:
            self._close_if_needed(request)
        was_signed_in = request.user.is_authenticated
        response = self.get_response(request)
        if was_signed_in or request.user.is_authenticated:
            patch_cache_control(response, no_store=True, private=True)
        elif _leads_to_sign_in(request, response):
            return _say_that_it_ended(request, response)
        return response

    def _close_if_needed(self, request):
        now = request.arrived_at.timestamp()
        request.session.setdefault(OPENED_AT, now)
        seen = request.session.setdefault(SEEN_AT, now)
        if BROWSER not in request.session:
            request.session[BROWSER] = facts.of_browser(request.headers.get("User-Agent", ""))
            request.session.save()  # for the list of « Votre compte », which may be the first page
        if not request.user.is_verified() or _lacks_second_factor(request.user):
            logout(request)
        elif OpenSession.is_over(request.session, request.arrived_at):
            person = request.user.pk
            logout(request)
            request.ended_for = person
            if request.method != "POST":
                messages.warning(request, EXPIRED)
        elif now - seen > SEEN_PRECISION:
            request.session[SEEN_AT] = now


def _lacks_second_factor(user) -> bool:
    """It was enrolled elsewhere since this session was opened, or while it was."""
    return user.second_factor_since is not None and user.otp_device.second_factor_at is None


def _leads_to_sign_in(request, response) -> bool:
    """A private page that nobody signed in asked for."""
    if response.status_code != 302 or not getattr(request.resolver_match.func, "login_required", True):
        return False
    return response.url.startswith(reverse(settings.LOGIN_URL))


def _say_that_it_ended(request, response):
    """A script reads it (401); a person reads it above the sign-in, which leads back to the page that was filled in."""
    if request.headers.get("Accept") == "application/json":
        return JsonResponse({"message": ENDED}, status=401)
    if request.method == "POST" and typed.is_forged(request):
        return response  # of another site: it neither says anything here nor replaces the session of this browser
    if request.method == "POST":
        page = typed.save_from_the_end(request)
        kept = KEPT if page else f"{LOST} {IN_THE_TAB}" if typed.PAGE_MARK in request.POST else LOST
        messages.warning(request, f"{EXPIRED if request.ended_for else ENDED} {kept}")
        return redirect_to_login(page or _page_that_was_sent(request), reverse(settings.LOGIN_URL))
    had_session = settings.SESSION_COOKIE_NAME in request.COOKIES and request.session.session_key is None
    if had_session and not request.ended_for:
        messages.warning(request, ENDED)
    return response


def _page_that_was_sent(request) -> str:
    """Some forms post to an address that is no page."""
    page = request.headers.get("Referer", "")
    if url_has_allowed_host_and_scheme(page, {request.get_host()}, require_https=request.is_secure()):
        return urlsplit(page).path
    return request.path


class TermsMiddleware:
    """Sends a signed-in person to the terms in force until they accept them, then back to where they were going."""

    OPEN_TO_ALL = frozenset(["accounts:accept_terms", "account_logout"])

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        if not request.user.is_authenticated or not getattr(view, "login_required", True):
            return None
        if request.resolver_match.view_name in self.OPEN_TO_ALL:
            return None
        terms = Terms.objects.in_force(for_user=request.user)
        if terms is None or terms.is_accepted:
            return None
        if request.method not in ("GET", "HEAD"):
            if terms.was_ever_accepted:
                return (
                    None  # a new version came while a form was being filled: nothing typed is lost, the next page asks
                )
            messages.warning(
                request, "Votre dernière saisie n’a pas été enregistrée : les conditions d’utilisation sont à accepter."
            )
            return HttpResponseRedirect(reverse("accounts:accept_terms"))
        destination = urlencode({REDIRECT_FIELD_NAME: request.get_full_path()})
        return HttpResponseRedirect(f"{reverse('accounts:accept_terms')}?{destination}")


class SecondFactorMiddleware:
    """Leads whoever must have a second factor and has none to its enrolment; nothing else is open to them."""

    OPEN = frozenset(["accounts:enrol", "accounts:qr_code", "accounts:accept_terms", "account_logout"])

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        if not request.user.is_authenticated or not getattr(view, "login_required", True):
            return None
        if request.resolver_match.view_name in self.OPEN or not rules.must_enrol(request.user):
            return None
        if request.headers.get("Accept") == "application/json":
            return JsonResponse({"message": TO_ENROL}, status=403)
        if request.method not in ("GET", "HEAD"):
            messages.warning(request, LOST)
        return HttpResponseRedirect(reverse("accounts:enrol"))
