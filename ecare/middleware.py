"""When a request reached us: the first middleware stamps its first byte, the last one its last. And the page for
whoever opens an address that only takes what a form sends."""

from django.shortcuts import render
from django.utils import timezone


class ArrivalMiddleware:
    """Stamps `request.arrived_at`, the instant that every deadline is compared with."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.arrived_at = timezone.now()
        return self.get_response(request)


class ReceptionMiddleware:
    """What is posted has arrived once it is all there, or a body held back past a deadline would count as in time.

    The CSRF check has read it by now. A view that is exempt from it reads the body itself: files that were on their
    way before a deadline are taken, but a step is sent by a post of its own.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        if request.method == "POST" and not getattr(view, "csrf_exempt", False):
            _ = request.POST
            request.arrived_at = timezone.now()


class NotAllowedMiddleware:
    """405 with a page for a person; a script keeps the bare answer."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        is_for_a_script = request.headers.get("Accept") == "application/json" or "json" in response["Content-Type"]
        if response.status_code != 405 or is_for_a_script:
            return response
        page = render(request, "405.html", status=405)
        page["Allow"] = response["Allow"]
        return page
