"""The description of the API: an OpenAPI document for machines, and the same as tables for people."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from django.conf import settings

from systems.api import ROOT, api
from systems.problems import MEANINGS, TITLES
from systems.schemas import STATES

JSON, PROBLEM = "application/json", "application/problem+json"
HEADERS = {
    401: {"WWW-Authenticate": "Ce que la demande doit porter."},
    403: {"WWW-Authenticate": "La portée qui manque."},
    405: {"Allow": "Les méthodes servies."},
    429: {"Retry-After": "Dans combien de secondes recommencer."},
    503: {"Retry-After": "Dans combien de secondes recommencer."},
}
ABOUT = (
    "Lecture seule des dossiers de financement du programme CaRE, pour les systèmes d’information de l’État. "
    "Chaque demande porte un jeton dans l’en-tête « Authorization: Bearer … ». Aucune réponse ne contient de donnée "
    "personnelle : ni nom, ni contact, ni réponse, ni fichier, ni message."
)


@cache
def document() -> dict[str, Any]:
    """OpenAPI 3.1, whole and in French."""
    found = json.loads(json.dumps(api.get_openapi_schema(path_prefix=ROOT)))
    found["info"] |= {"title": "API de lecture d’eCaRE", "version": "1", "description": ABOUT}
    found["servers"] = [{"url": settings.SITE_ADDRESS}]
    found["components"]["securitySchemes"]["TokenBearer"]["description"] = (
        "Un jeton émis par un administrateur d’eCaRE."
    )
    for operation in _operations(found):
        for parameter in operation["parameters"]:
            parameter["schema"] = _without_null(parameter["schema"])
        for status, response in operation["responses"].items():
            _complete(int(status), response)
    _tidy(found["components"]["schemas"])
    return found


def _operations(found: dict) -> Iterator[dict]:
    for path in found["paths"].values():
        yield from path.values()


def _without_null(schema: dict) -> dict:
    """A parameter is given or left out; it is never null."""
    kinds = [one for one in schema.get("anyOf", []) if one != {"type": "null"}]
    kept = {name: value for name, value in schema.items() if name not in ("anyOf", "title", "description")}
    return kept | kinds[0] if kinds else kept


def _complete(status: int, response: dict) -> None:
    if status == 200:
        response["description"] = "La réponse."
        return
    response["description"] = MEANINGS[status]
    response["content"] = {PROBLEM: response["content"].pop(JSON)}
    headers = HEADERS.get(status, {})
    if headers:
        response["headers"] = {
            name: {"description": said, "schema": {"type": "string"}} for name, said in headers.items()
        }


def _tidy(schemas: dict) -> None:
    """Names in English that pydantic makes up say nothing more than those of the fields; parameters stand with their
    reading alone."""
    for name in ("Filters", "DossierFilters"):
        schemas.pop(name, None)
    for schema in schemas.values():
        schema.pop("title", None)
        for field in schema.get("properties", {}).values():
            field.pop("title", None)


# --- for people ---------------------------------------------------------------------------------------------------
class Row(NamedTuple):
    name: str
    kind: str
    description: str


class Reading(NamedTuple):
    """One operation, as the page shows it."""

    anchor: str
    address: str
    summary: str
    description: str
    parameters: list[Row]
    fields: list[Row]
    statuses: list[int]


class Fault(NamedTuple):
    status: int
    title: str
    meaning: str


def readings() -> list[Reading]:
    found = document()
    return [
        Reading(
            anchor=operation["operationId"].replace("_", "-"),
            address=path,
            summary=operation["summary"],
            description=operation["description"],
            parameters=[_parameter(one) for one in operation["parameters"]],
            fields=list(_fields(_content(operation, "200"), found)),
            statuses=[int(status) for status in operation["responses"] if status != "200"],
        )
        for path, operations in found["paths"].items()
        for operation in operations.values()
    ]


def faults() -> list[Fault]:
    return [Fault(status, TITLES[status], meaning) for status, meaning in MEANINGS.items()]


def _content(operation: dict, status: str) -> dict:
    [content] = operation["responses"][status]["content"].values()
    return content["schema"]


def _parameter(parameter: dict) -> Row:
    schema = parameter["schema"]
    limits = [_kind(schema)]
    if "minimum" in schema:
        limits.append(f"de {schema['minimum']} à {schema['maximum']}, {schema['default']} si rien n’est dit")
    if parameter["required"]:
        limits.append("obligatoire")
    return Row(parameter["name"], ", ".join(limits), parameter.get("description", "Dix lettres."))


KINDS = {"string": "texte", "integer": "entier", "boolean": "true ou false", "object": "objet", "array": "liste"}
FORMATS = {"date-time": "instant (UTC)", "date": "jour"}


def _kind(schema: dict) -> str:
    if schema.get("enum") == STATES:
        return "code d’état"
    if "enum" in schema:
        return f"un de {', '.join(schema['enum'])}"
    return FORMATS.get(schema.get("format", ""), KINDS[schema["type"]])


def _fields(schema: dict, found: dict, prefix: str = "") -> Iterator[Row]:
    """Each field by its whole name: « establishment.region.code ». What another reading tells is told there."""
    for name, field in _resolved(schema, found)["properties"].items():
        described, is_nullable = _one_of(field)
        whole, is_list = f"{prefix}{name}", described.get("type") == "array"
        inner = described["items"] if is_list else described
        target = _resolved(inner, found)
        kind = "liste" if is_list else _kind(target)
        said = field.get("description", "")
        is_told = target is found["components"]["schemas"]["Dossier"]
        if is_told:
            said += " Chacun a les champs de « Lire un dossier »."
        yield Row(whole, f"{kind} ou null" if is_nullable else kind, said)
        if target.get("type") == "object" and not is_told:
            yield from _fields(target, found, f"{whole}{'[]' if is_list else ''}.")


def _one_of(field: dict) -> tuple[dict, bool]:
    kinds = [one for one in field.get("anyOf", [field]) if one != {"type": "null"}]
    return kinds[0], "anyOf" in field


def _resolved(schema: dict, found: dict) -> dict:
    if "$ref" not in schema:
        return schema
    return found["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
