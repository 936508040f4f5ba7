"""The doors that every page stands behind: a whole sign-in, a session that ends, the terms in force."""

from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME, logout
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.cache import patch_cache_control

from accounts import facts
from accounts.models import BROWSER, OPENED_AT, SEEN_AT, Terms

SEEN_PRECISION = 60  # seconds; spares a write of the session at each request


class PrivatePageMiddleware:
    """Only a session that passed the code counts as signed in; it ends when idle or old; its pages are not stored."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.user.is_authenticated:
            self._close_if_needed(request)
        was_signed_in = request.user.is_authenticated
        response = self.get_response(request)
        if was_signed_in or request.user.is_authenticated:
            patch_cache_control(response, no_store=True, private=True)
        return response

    def _close_if_needed(self, request):
        now = request.arrived_at.timestamp()
        opened = request.session.setdefault(OPENED_AT, now)
        seen = request.session.setdefault(SEEN_AT, now)
        if BROWSER not in request.session:
            request.session[BROWSER] = facts.of_browser(request.headers.get("User-Agent", ""))
            request.session.save()  # for the list of « Votre compte », which may be the first page
        if not request.user.is_verified():
            logout(request)
        elif now - seen > settings.SESSION_IDLE_LIMIT.total_seconds() or now - opened > settings.SESSION_COOKIE_AGE:
            logout(request)
            lost = " Votre dernière saisie n’a pas été enregistrée." if request.method == "POST" else ""
            messages.warning(request, f"Votre session a expiré. Reconnectez-vous pour continuer.{lost}")
        elif now - seen > SEEN_PRECISION:
            request.session[SEEN_AT] = now


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
