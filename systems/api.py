"""The API that systems of the State read: who may, what they ask for, what they get. Its description is the document
that `/api/v1/openapi.json` gives and `/api/` prints."""

import logging
from datetime import datetime

from django.http import HttpRequest
from django.utils.dateparse import parse_datetime
from ninja import NinjaAPI, Query, Schema
from ninja.errors import ValidationError
from ninja.renderers import JSONRenderer
from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from ecare import unavailable
from establishments.models import Establishment
from systems import cursors, figures, problems, readers
from systems.bearers import TokenBearer
from systems.models import Scope, Token
from systems.problems import Refused
from systems.schemas import STATES, Domain, Domains, Dossier, Dossiers, KindCode, Problem, StateCode, Statistics

log = logging.getLogger(__name__)

ROOT = "/api/v1/"
LENGTH, LONGEST = 100, 200


class Reading(HttpRequest):
    """A request whose bearer was let in."""

    auth: Token


class FrenchJSON(JSONRenderer):
    json_dumps_params = {"ensure_ascii": False}


api = NinjaAPI(
    title="eCaRE",
    version="1",
    urls_namespace="systems-api",
    openapi_url=None,
    docs_url=None,
    renderer=FrenchJSON(),
    auth=TokenBearer(),
)


@api.exception_handler(Refused)
def refuse(request, refused):
    return problems.response(refused)


@api.exception_handler(ValidationError)
def refuse_parameters(request, fault):
    return problems.response(problems.of_parameters(fault.errors))


@api.exception_handler(Exception)
def fail(request, fault):
    if unavailable.is_cause(fault):
        raise fault  # said for the whole address, where it is counted too: `answered`
    log.error("a reading could not be answered", exc_info=fault, extra={"request": request})
    detail = "La faute est à eCaRE. Recommencez dans quelques minutes, puis écrivez à l’équipe support."
    return problems.response(Refused(500, detail))


# --- what may be asked --------------------------------------------------------------------------------------------
def _chosen(value: str | None, choices: list[str]) -> str | None:
    if value is not None and value not in choices:
        raise PydanticCustomError(
            "choice", "{said}", {"said": f"Choisissez une de ces valeurs : {', '.join(choices)}."}
        )
    return value


class Filters(Schema):
    domain: str | None = Field(None, max_length=50, description="Identifiant d’un domaine que le jeton peut lire.")
    region: str | None = Field(None, max_length=2, description="Code INSEE d’une région que le jeton peut lire.")
    kind: KindCode | None = Field(None, description="Type d’établissement.")
    cursor: str | None = Field(None, max_length=500, description="Le « cursor » de la page précédente, tel quel.")
    limit: int = Field(LENGTH, ge=1, le=LONGEST, description="Nombre de lignes d’une page.")

    @field_validator("kind")
    @classmethod
    def _is_a_kind(cls, value):
        return _chosen(value, Establishment.Kind.values)

    @property
    def narrowing(self) -> list[str]:
        """What a cursor is bound to."""
        return [self.domain or "", self.region or "", self.kind or ""]


class DossierFilters(Filters):
    state: StateCode | None = Field(None, description="État du dossier.")
    changed_since: str | None = Field(
        None,
        max_length=40,
        description="Dossiers changés à cet instant ou depuis, par exemple 2026-11-21T13:05:00Z.",
        json_schema_extra={"format": "date-time"},
    )

    @field_validator("state")
    @classmethod
    def _is_a_state(cls, value):
        return _chosen(value, STATES)

    @field_validator("changed_since")
    @classmethod
    def _is_an_instant(cls, value):
        _instant(value)
        return value

    @property
    def since(self) -> datetime | None:
        return _instant(self.changed_since)

    @property
    def narrowing(self) -> list[str]:
        return [*super().narrowing, self.state or ""]


INSTANT = (
    "Écrivez un instant avec son fuseau, par exemple 2026-11-21T13:05:00Z ; un « + » s’écrit %2B dans une adresse."
)


def _instant(value: str | None) -> datetime | None:
    if value is None:
        return None
    try:
        found = parse_datetime(value)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise PydanticCustomError("instant", "{said}", {"said": INSTANT})
    return found


def _check(request: HttpRequest, asked: type[Schema] | None = None) -> None:
    """A parameter that is misspelt would read more than was meant."""
    known = asked.model_fields if asked else {}
    wrong = {name: problems.UNKNOWN for name in request.GET if name not in known}
    wrong |= {
        name: "Donnez ce paramètre une seule fois."
        for name in request.GET
        if name in known and len(request.GET.getlist(name)) > 1
    }
    if wrong:
        raise problems.wrong(**{name[:50]: said for name, said in wrong.items()})


def _require(token: Token, scope: str) -> None:
    if not token.can_read(scope):
        raise problems.lacks_scope(scope)


BEYOND_DOMAIN = (
    "Ce domaine est inconnu, ou hors des limites de ce jeton. « /api/v1/domains » dit les domaines qu’il peut lire."
)
BEYOND_REGION = "Cette région est inconnue, ou hors des limites de ce jeton."
RESTART = "Ce curseur n’est pas connu, ou les filtres ont changé depuis. Recommencez sans « cursor »."
EXPIRED = "Cette lecture a duré trop longtemps, ses chiffres ont changé. Recommencez sans « cursor »."


def _check_limits(token: Token, asked: Filters) -> None:
    """The same words whether it does not exist or is not theirs to read."""
    wrong = {}
    if asked.domain and not token.readable_domains().filter(slug=asked.domain).exists():
        wrong["domain"] = BEYOND_DOMAIN
    if asked.region and not token.readable_regions().filter(pk=asked.region).exists():
        wrong["region"] = BEYOND_REGION
    if wrong:
        raise problems.wrong(**wrong)


def _enter(request: Reading, asked: Filters, *, scope: str, of: str) -> list | None:
    """What a list asks before it answers. Returns the place where the reading goes on, None at its beginning."""
    _check(request, type(asked))
    _require(request.auth, scope)
    _check_limits(request.auth, asked)
    return _place(asked, of)


def _place(asked: Filters, of: str) -> list | None:
    if not asked.cursor:
        return None
    try:
        return cursors.read(asked.cursor, of=of, asked=asked.narrowing)
    except cursors.BadCursor:
        raise problems.wrong(cursor=RESTART) from None


def _errors(*statuses: int) -> dict[int, type]:
    """Those of every reading, and these."""
    return dict.fromkeys(sorted({400, 401, 405, 422, 429, 500, 503, *statuses}), Problem)


# --- what is answered ---------------------------------------------------------------------------------------------
@api.get(
    "dossiers",
    response={200: Dossiers} | _errors(403),
    operation_id="list_dossiers",
    url_name="dossiers",
    summary="Lire les dossiers",
    description="Les dossiers transmis, dans les limites du jeton, du plus ancien changement au plus récent. "
    "Portée : dossiers.",
    tags=["Dossiers"],
)
def list_dossiers(request, asked: Query[DossierFilters]):
    token, place = request.auth, _enter(request, asked, scope=Scope.DOSSIERS, of="dossiers")
    after = readers.Place(datetime.fromisoformat(place[0]), place[1]) if place else None
    found, last, has_more = readers.page_of(
        _narrowed(token, asked), after=after, length=asked.limit, at=request.arrived_at
    )
    request.dossiers_read = len(found)
    cursor = last and cursors.write([last.at.isoformat(), last.pk], of="dossiers", asked=asked.narrowing)
    items = readers.represent(found, with_amounts=token.can_read(Scope.AMOUNTS))
    return Dossiers(items=items, cursor=cursor, has_more=has_more)


def _narrowed(token: Token, asked: DossierFilters):
    chosen = {
        "domain__slug": asked.domain,
        "state": asked.state,
        "establishment__region": asked.region,
        "establishment__kind": asked.kind,
        "moved_at__gte": asked.since,
    }
    return token.readable_dossiers().filter(**{name: value for name, value in chosen.items() if value})


@api.get(
    "dossiers/{reference}",
    response={200: Dossier} | _errors(403, 404),
    operation_id="read_dossier",
    url_name="dossier",
    summary="Lire un dossier",
    description="Un dossier par sa référence, tel qu’il est maintenant. Portée : dossiers.",
    tags=["Dossiers"],
)
def read_dossier(request, reference: str):
    _check(request)
    _require(request.auth, Scope.DOSSIERS)
    found = request.auth.readable_dossiers().filter(reference=reference)
    shown = readers.represent(found, with_amounts=request.auth.can_read(Scope.AMOUNTS))
    if not shown:
        raise Refused(404, "Aucun dossier transmis n’a cette référence dans les limites de ce jeton.")
    request.dossiers_read = 1
    return shown[0]


@api.get(
    "statistics",
    response={200: Statistics} | _errors(403),
    operation_id="list_statistics",
    url_name="statistics",
    summary="Lire les statistiques",
    description="Les nombres de dossiers transmis par domaine, région et type d’établissement, et leurs sommes avec "
    "la portée amounts. Les chiffres datent de cinq minutes au plus. Portée : statistics.",
    tags=["Statistiques"],
)
def list_statistics(request, asked: Query[Filters]):
    token, place = request.auth, _enter(request, asked, scope=Scope.STATISTICS, of="statistics")
    at, rows = _figures(token, place, at=request.arrived_at)
    after = tuple(place[1:]) if place else ("", "", "")
    wanted = [row for row in rows if figures.key_of(row) > after and _holds(asked, row)]
    page, has_more = wanted[: asked.limit], len(wanted) > asked.limit
    cursor = None
    if has_more:
        cursor = cursors.write([at.isoformat(), *figures.key_of(page[-1])], of="statistics", asked=asked.narrowing)
    return Statistics(at=at, items=page, cursor=cursor, has_more=has_more)


def _figures(token: Token, place: list | None, *, at: datetime):
    with_amounts = token.can_read(Scope.AMOUNTS)
    if not place:
        return figures.latest(token, with_amounts=with_amounts, at=at)
    at = datetime.fromisoformat(place[0])
    rows = figures.as_of(token, with_amounts=with_amounts, at=at)
    if rows is None:
        raise problems.wrong(cursor=EXPIRED)
    return at, rows


def _holds(asked: Filters, row) -> bool:
    wanted = (asked.domain, asked.region, asked.kind)
    return all(not one or one == own for one, own in zip(wanted, figures.key_of(row), strict=True))


@api.get(
    "domains",
    response={200: Domains} | _errors(),
    operation_id="list_domains",
    url_name="domains",
    summary="Lire les domaines",
    description="Les domaines dans les limites du jeton : leur calendrier, et leur enveloppe avec la portée amounts. "
    "Toute portée.",
    tags=["Domaines"],
)
def list_domains(request):
    _check(request)
    with_amounts = request.auth.can_read(Scope.AMOUNTS)
    return Domains(items=[_domain(one, with_amounts=with_amounts) for one in request.auth.readable_domains()])


def _domain(domain, *, with_amounts: bool) -> Domain:
    return Domain(
        code=domain.slug,
        name=domain.name,
        kinds=domain.kinds,
        is_trial=domain.is_trial,
        candidature_from=domain.candidature_from,
        candidature_until=domain.candidature_until,
        declaration_from=domain.declaration_from,
        declaration_until=domain.declaration_until,
        envelope=domain.envelope if with_amounts else None,
    )
