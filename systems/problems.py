"""What goes wrong, said to machines (RFC 9457) and in French to whoever reads their logs."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.http import JsonResponse
from django.urls import reverse

from ecare.unavailable import RETRY_AFTER

CONTENT_TYPE = "application/problem+json; charset=utf-8"
TITLES = {
    400: "Demande refusée",
    401: "Jeton refusé",
    403: "Portée absente",
    404: "Introuvable",
    405: "Méthode refusée",
    422: "Paramètre incorrect",
    429: "Trop de lectures",
    500: "Erreur d’eCaRE",
    503: "Momentanément indisponible",
}
MEANINGS = {
    400: "Le jeton se trouve dans l’adresse.",
    401: "Le jeton manque, n’est pas connu, a expiré, a été révoqué, ou son système n’est plus actif.",
    403: "Le jeton n’a pas la portée qu’il faut.",
    404: "L’adresse n’existe pas, ou le dossier n’existe pas dans les limites du jeton.",
    405: "Seules les méthodes GET et HEAD sont servies.",
    422: "Un paramètre n’est pas connu ou pas lisible ; « errors » dit lequel et comment le corriger.",
    429: "Trop de lectures ; revenez après le nombre de secondes que dit l’en-tête Retry-After.",
    500: "La faute est à eCaRE ; recommencez plus tard, puis écrivez à l’équipe support.",
    503: "La base de données ne répond pas ; revenez après le nombre de secondes que dit l’en-tête Retry-After.",
}


@dataclass
class Refused(Exception):
    """Ends a reading. `errors`: what is wrong with which parameter."""

    status: int
    detail: str
    errors: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


def unauthenticated(detail: str, *, is_missing: bool = False) -> Refused:
    """RFC 6750: whoever showed nothing is told the scheme alone."""
    challenge = 'Bearer realm="eCaRE"' if is_missing else 'Bearer realm="eCaRE", error="invalid_token"'
    return Refused(401, detail, headers={"WWW-Authenticate": challenge})


def lacks_scope(scope: str) -> Refused:
    challenge = f'Bearer realm="eCaRE", error="insufficient_scope", scope="{scope}"'
    detail = f"Ce jeton n’a pas la portée « {scope} ». Demandez à l’équipe support d’eCaRE un jeton qui l’a."
    return Refused(403, detail, headers={"WWW-Authenticate": challenge})


def too_many(seconds: int) -> Refused:
    detail = f"Trop de lectures. Recommencez dans {seconds} seconde{'s' if seconds > 1 else ''}."
    return Refused(429, detail, headers={"Retry-After": str(seconds)})


def unavailable() -> Refused:
    detail = "eCaRE est momentanément indisponible. Recommencez dans quelques instants."
    return Refused(503, detail, headers={"Retry-After": str(RETRY_AFTER)})


def wrong(**errors: str) -> Refused:
    """By parameter, what is wrong and how to put it right."""
    told = {name: f"« {name} » : {said}" for name, said in errors.items()}
    return Refused(422, " ".join(told.values()), errors=told)


def address_of(status: int) -> str:
    """Where the page of the API explains it."""
    return f"{reverse('systems:documentation')}#erreur-{status}"


def response(refused: Refused) -> JsonResponse:
    body = {
        "type": address_of(refused.status),
        "title": TITLES[refused.status],
        "status": refused.status,
        "detail": refused.detail,
        "errors": [{"name": name, "detail": detail} for name, detail in refused.errors.items()],
    }
    options = {"ensure_ascii": False}
    found = JsonResponse(body, status=refused.status, content_type=CONTENT_TYPE, json_dumps_params=options)
    for name, value in refused.headers.items():
        found[name] = value
    return found


# --- what pydantic says, in French --------------------------------------------------------------------------------
UNKNOWN = "Ce paramètre n’existe pas : retirez-le, ou corrigez son nom."
_SENTENCES = {
    "extra_forbidden": UNKNOWN,
    "int_parsing": "Écrivez un nombre entier.",
    "int_type": "Écrivez un nombre entier.",
    "greater_than_equal": "Écrivez un nombre d’au moins {ge}.",
    "less_than_equal": "Écrivez un nombre d’au plus {le}.",
    "string_too_long": "{max_length} caractères au plus.",
}


def of_parameters(errors: Iterable[dict]) -> Refused:
    told: dict[str, str] = {}
    for error in errors:
        sentence = _SENTENCES.get(error["type"])
        said = sentence.format(**error.get("ctx", {})) if sentence else error["msg"]
        told[str(error["loc"][-1])] = said
    return wrong(**told)
