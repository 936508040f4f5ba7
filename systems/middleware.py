"""The API knows no cookie: whoever is signed in gets nothing more there, and no session is looked at or prolonged."""

from systems.api import ROOT


class NoCookieMiddleware:
    """Before the sessions."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.path.startswith(ROOT):
            request.META.pop("HTTP_COOKIE", None)
        return self.get_response(request)
