"""Who stands before the API: whoever shows a token that opens now, and nobody else. Sessions are not looked at."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import NoReturn
from urllib.parse import unquote

from allauth.core.internal import ratelimit as limits
from django.contrib.auth.decorators import login_not_required
from django.db import Error as DatabaseFault
from django.http import HttpResponse
from django.views.decorators.csrf import csrf_exempt
from ninja.security import HttpBearer

from ecare import unavailable
from systems import actions, problems, rules
from systems.models import Token
from systems.problems import Refused

MISSING = (
    "Cette adresse demande un jeton, dans l’en-tête « Authorization: Bearer … ». "
    "Demandez-en un à l’équipe support d’eCaRE."
)
UNKNOWN = "Ce jeton n’est pas connu. Vérifiez qu’il est copié en entier, sans espace ni guillemet."
IN_ADDRESS = (
    "Un jeton ne se met pas dans l’adresse : il y est lu par trop de monde, et il faut maintenant le faire révoquer. "
    "Placez le nouveau dans l’en-tête « Authorization: Bearer … »."
)
WAIT_FOR_STRANGERS = 300
METHODS = ("GET", "HEAD")
log = logging.getLogger(__name__)


class TokenBearer(HttpBearer):
    """A bearer token of RFC 6750, in the header alone."""

    def __call__(self, request) -> Token:
        scheme, _, value = request.headers.get("Authorization", "").strip().partition(" ")
        if not scheme:
            raise problems.unauthenticated(MISSING, is_missing=True)
        if scheme.lower() != self.openapi_scheme:
            self._turn_away(request, MISSING)
        return self.authenticate(request, value.strip())

    def authenticate(self, request, value: str) -> Token:
        found = None
        if rules.is_well_formed(value):
            tokens = Token.objects.select_related("system")
            found = tokens.filter(digest=rules.digest_of(value)).first()
        if found is None:
            self._turn_away(request, UNKNOWN)
        if refusal := rules.why_not_read(found, request.arrived_at):
            actions.note_refusal(found, at=request.arrived_at)
            self._turn_away(request, refusal)
        if seconds := actions.enter(found, at=request.arrived_at):
            raise problems.too_many(seconds)
        request.reading = found
        return found

    def _turn_away(self, request, detail: str) -> NoReturn:
        """So many times from one address; a token that opens is not held back by its neighbours."""
        if not limits.consume(request, app="allauth.account", action="api_token", limit_get=True):
            raise problems.too_many(WAIT_FOR_STRANGERS)
        raise problems.unauthenticated(detail)


def answered(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """What every address of the API shares: read only, no token in the address, counted, stored nowhere."""

    @csrf_exempt  # nothing is written, and no cookie is read
    @login_not_required
    @wraps(view)
    def answer(request, *args, **kwargs) -> HttpResponse:
        try:
            response = _answer_and_count(view, request, *args, **kwargs)
        except (DatabaseFault, unavailable.Unavailable) as fault:
            if not unavailable.is_cause(fault):
                raise
            log.exception("%s could not be answered", request.path)
            response = problems.response(problems.unavailable())
        response["Cache-Control"] = "no-store, private"
        response["Vary"] = "Authorization"
        return response

    return answer


def _answer_and_count(view, request, *args, **kwargs) -> HttpResponse:
    request.reading, request.dossiers_read = None, 0
    try:
        response = _answer(view, request, *args, **kwargs)
    except Refused as refused:
        response = problems.response(refused)
    if request.reading is not None:
        _count(request, response)
    return response


def _answer(view, request, *args, **kwargs) -> HttpResponse:
    if request.method not in METHODS:
        detail = "Cette API se lit : seules les méthodes GET et HEAD sont servies."
        raise Refused(405, detail, headers={"Allow": ", ".join(METHODS)})
    if rules.MARK in unquote(request.META.get("QUERY_STRING", "")):
        raise Refused(400, IN_ADDRESS)
    method, request.method = request.method, "GET"  # of a HEAD the server drops the body
    try:
        return view(request, *args, **kwargs)
    finally:
        request.method = method


def _count(request, response) -> None:
    if response.status_code == 200:
        actions.note_reading(request.reading, at=request.arrived_at, dossiers=request.dossiers_read)
    else:
        actions.note_refusal(request.reading, at=request.arrived_at)
