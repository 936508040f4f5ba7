"""The database does not answer, takes nothing more, or may only be read: the same words for a person, a script, a
machine, and what was typed given back. Nothing here asks the database."""

from django.db import InterfaceError, InternalError, OperationalError
from django.http import HttpResponse, JsonResponse
from django.template.loader import render_to_string

from ecare.context import site

RETRY_AFTER = 30  # seconds
SAID = (
    "Le service est momentanément indisponible. Ce qui était enregistré est conservé ; ce que vous venez d’envoyer ne "
    "l’est peut-être pas."
)
READ_ONLY = "25006"  # PostgreSQL, https://www.postgresql.org/docs/current/errcodes-appendix.html
MOST_GIVEN_BACK = 512 * 1024  # characters
SECRETS = ("password", "code", "captcha")
"""A form with a field named after one of these is not given back: its page is opened anew."""


class Unavailable(Exception):
    """What a library would not let through as the fault that it is."""


def is_cause(fault: BaseException | None) -> bool:
    """Whether this fault is the database's alone, and the same request may succeed a little later."""
    if isinstance(fault, OperationalError | InterfaceError | Unavailable):
        return True
    return isinstance(fault, InternalError) and getattr(fault.__cause__, "sqlstate", None) == READ_ONLY


def answer(request) -> HttpResponse:
    """503 « in a moment », to a script as a sentence, to a person as a page."""
    if hasattr(request, "session"):
        request.session.modified = False  # to save it would fail too
    response: HttpResponse
    if request.headers.get("Accept") == "application/json":
        response = JsonResponse({"message": SAID}, status=503)
    else:
        context = site() | {"typed": _typed(request), "address": request.get_full_path(), "method": request.method}
        response = HttpResponse(render_to_string("503.html", context), status=503)
    response["Retry-After"] = str(RETRY_AFTER)
    response["Cache-Control"] = "no-store"
    return response


def _typed(request) -> list[tuple[str, str]] | None:
    """What the page posts again, its token as it came; None when a secret, a file or too much is in it."""
    posted = getattr(request, "_post", None)  # as far as it was read: to read it now may need the database
    if request.method != "POST" or not posted or request.FILES:
        return None
    if any(secret in name for name in posted for secret in SECRETS):
        return None
    pairs = [(name, value) for name, values in posted.lists() for value in values]
    return pairs if sum(len(name) + len(value) for name, value in pairs) <= MOST_GIVEN_BACK else None
