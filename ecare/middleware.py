"""The outermost middleware: when the request reached us."""

from django.utils import timezone


class ArrivalMiddleware:
    """Stamps `request.arrived_at`, the instant that every deadline is compared with."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.arrived_at = timezone.now()
        return self.get_response(request)
