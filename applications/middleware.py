"""« Not now » is one answer everywhere: 409 and the sentence that the verb gave; what was typed when the session ended
waits for the person who typed it."""

from django.middleware.csrf import CsrfViewMiddleware
from django.shortcuts import render

from applications import typed
from applications.actions import NotNow
from applications.forms import PAGE_MARK
from applications.models import Application


class NotNowMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request, exception):
        if isinstance(exception, NotNow):
            return render(request, "409.html", {"message": str(exception)}, status=409)
        return None


class TypedMiddleware:
    """The form of a dossier, sent after its session had expired: what was typed is put by, in the session in which the
    person signs in again."""

    def __init__(self, get_response):
        self.get_response = get_response
        self.check_token = CsrfViewMiddleware(get_response).process_view

    def __call__(self, request):
        response = self.get_response(request)
        has_ended = request.ended_for and request.method == "POST" and response.status_code == 302
        if has_ended and request.headers.get("Accept") != "application/json" and PAGE_MARK in request.POST:
            self._put_by(request)
        return response

    def _put_by(self, request):
        if self.check_token(request, self.get_response, (), {}):  # the views that check it themselves were not asked
            return
        found = Application.objects.filter(reference=request.POST[PAGE_MARK], referent=request.ended_for).first()
        if found:
            typed.put_by(request.session, found, request.POST, at=request.arrived_at, is_ended=True)
            request.is_typed_kept = True
