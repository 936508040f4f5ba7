"""« The storage does not answer » is one answer everywhere: 503, what was kept and what was not, when to try again."""

import logging

from django.http import JsonResponse
from django.shortcuts import render

from ecare.french import after_colon
from evidence.storage import StoreDown

logger = logging.getLogger(__name__)
RETRY_AFTER = 120  # seconds
SENTENCE = "Le dépôt des fichiers ne répond pas. Ce fichier n’a pas été enregistré. Réessayez dans quelques minutes."


class StoreDownMiddleware:
    """Stands before the check of the token, which is the first to read a body."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        """A file finds no room while it is received: what is exempt from the check reads its body in the view."""
        if request.method != "POST" or getattr(view, "csrf_exempt", False):
            return None
        try:
            _ = request.POST
        except StoreDown as error:
            request._mark_post_parse_error()  # or whoever asks for a field of it would read on
            return self.process_exception(request, error)
        return None

    def process_exception(self, request, exception):
        if not isinstance(exception, StoreDown):
            return None
        logger.error("storage is down: %s", exception)
        is_for_a_script = request.headers.get("Accept") == "application/json"
        message = {"message": after_colon(SENTENCE)}
        response = JsonResponse(message) if is_for_a_script else render(request, "evidence/unavailable.html")
        response.status_code = 503
        response["Retry-After"] = RETRY_AFTER
        response._has_been_logged = True  # type: ignore[attr-defined] # once is enough
        return response
