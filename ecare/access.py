"""The first middleware: each request has a reference, one line in the logs and a place in the metrics."""

import time

import structlog
from django.conf import settings
from structlog.contextvars import bound_contextvars, clear_contextvars

from ecare import metrics, tracing
from ecare.logs import route_of

log = structlog.get_logger("ecare.access")
HEADER = "X-Request-ID"
QUIET = frozenset(["health", "alive", "metrics"])
"""What machines ask for every few seconds: said only when it goes wrong."""


class AccessMiddleware:
    """Who it was is the journal's to say, and from where the proxy's: a line names a role, and nobody (ADR 36)."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        began = time.perf_counter()
        clear_contextvars()
        with bound_contextvars(request_id=_reference(request)):
            try:
                response = self.get_response(request)
            except Exception:  # the page of errors failed in turn: the server answers by itself
                self._tell(request, 500, time.perf_counter() - began)
                raise
            response[HEADER] = tracing.current()
            self._tell(request, response.status_code, time.perf_counter() - began)
        return response

    def _tell(self, request, status: int, seconds: float) -> None:
        route, method = _route(request), _method(request)
        is_csrf = getattr(request, "csrf_refused", False)
        metrics.count_request(method=method, route=route, status=status, seconds=seconds, is_csrf=is_csrf)
        if status < 400 and (route in QUIET or route == "static"):
            return
        told = {"method": method, "route": route, "status": status, "ms": round(seconds * 1000)}
        log.info("request", **told, role=_role(request))


def _reference(request) -> str:
    is_behind_a_proxy = settings.ALLAUTH_TRUSTED_PROXY_COUNT > 0
    return tracing.accepted(request.headers.get(HEADER, "")) if is_behind_a_proxy else tracing.new()


def _route(request) -> str:
    route = route_of(request)
    return "static" if route == "none" and request.path.startswith(settings.STATIC_URL) else route


def _method(request) -> str:
    known = ("GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE")
    return request.method if request.method in known else "other"


def _role(request) -> str:
    """Without asking the database: a page that looked at nobody's session was for anybody."""
    if getattr(request, "reading", None) is not None:
        return "system"
    person = getattr(request, "_cached_user", None)
    return person.role if person is not None and person.is_authenticated else "anonymous"
