"""The shape of every answer of the API; the same descriptions make its OpenAPI document and its page in French."""

from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

from applications.states import TOLD_STATES, Desk
from establishments.models import Establishment

# In UTC, to the microsecond, as the database compares.
Instant = Annotated[
    datetime,
    PlainSerializer(lambda at: at.astimezone(UTC).isoformat().replace("+00:00", "Z"), return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
Day = Annotated[
    date,
    PlainSerializer(lambda day: day.isoformat(), return_type=str),
    WithJsonSchema({"type": "string", "format": "date"}),
]
Cents = Annotated[int, Field(ge=0)]
STATES = [state.value for state in TOLD_STATES]
StateCode = Annotated[str, WithJsonSchema({"type": "string", "enum": STATES})]
KindCode = Annotated[str, WithJsonSchema({"type": "string", "enum": Establishment.Kind.values})]
DeskCode = Annotated[str, WithJsonSchema({"type": "string", "enum": Desk.values})]


class Answer(BaseModel):
    # Nothing but what is described ever leaves. Docstrings would stand in the document, which is in French.
    model_config = ConfigDict(extra="forbid")


class DossierState(Answer):
    code: StateCode = Field(description="Valeur stable, pour les machines.")
    label: str = Field(description="Le même état, en français.")


class DossierDomain(Answer):
    code: str = Field(description="Identifiant du domaine, stable.")
    name: str = Field(description="Nom du domaine.")


class DossierRegion(Answer):
    code: str = Field(description="Code INSEE de la région.")
    name: str = Field(description="Nom de la région.")


class DossierKind(Answer):
    code: KindCode = Field(description="Valeur stable, pour les machines.")
    label: str = Field(description="Le même type, en français.")


class DossierEstablishment(Answer):
    finess: str = Field(
        description="Numéro FINESS de l’entité juridique ; pour un GHT, celui de son établissement support."
    )
    ght: str | None = Field(description="Code du GHT ; null pour les autres types.")
    name: str = Field(description="Nom de l’établissement.")
    kind: DossierKind = Field(description="Type d’établissement.")
    region: DossierRegion = Field(description="Région de l’établissement.")


class DossierDates(Answer):
    created_at: Instant = Field(description="Début du dossier.")
    submitted_at: Instant = Field(description="Premier envoi de la candidature.")
    decided_at: Instant | None = Field(
        description="Candidature acceptée ou rejetée ; null tant qu’elle n’est pas décidée, ou si elle a été rouverte."
    )
    convention_signed_on: Day | None = Field(description="Signature de la convention.")
    declaration_submitted_at: Instant | None = Field(description="Premier envoi de la déclaration.")
    validated_at: Instant | None = Field(description="Déclaration validée par l’ANS.")
    paid_on: Day | None = Field(description="Jour du virement.")
    ended_at: Instant | None = Field(description="Fin du dossier : versé, rejeté, retiré ou abandonné.")


class DossierAmounts(Answer):
    # Whole cents. Each is that of its moment; they are not to be added up.
    requested: Cents | None = Field(description="Demandé, tel que transmis ; null si le formulaire ne le demande pas.")
    ceiling: Cents | None = Field(description="Plafond retenu à l’acceptation de la candidature.")
    committed: Cents | None = Field(
        description="Engagé à l’acceptation sur l’enveloppe ; null avant, ou si l’engagement a été libéré."
    )
    accepted: Cents | None = Field(
        description="Dépenses retenues, une fois la déclaration validée ; null pour un forfait."
    )
    granted: Cents | None = Field(description="À verser, une fois la déclaration validée.")
    paid: Cents | None = Field(description="Versé.")


class Dossier(Answer):
    # What a machine of the State may know of a dossier: never an answer, a file, a name or a message.
    reference: str = Field(description="Dix lettres, stables.", pattern="^[A-Z]{10}$")
    domain: DossierDomain = Field(description="Domaine de financement.")
    state: DossierState = Field(description="État du dossier.")
    desk: DeskCode | None = Field(
        description="Qui doit agir, de l’ARS ou de l’ANS ; null quand ce n’est ni l’une ni l’autre."
    )
    establishment: DossierEstablishment = Field(description="Établissement candidat.")
    dates: DossierDates = Field(description="Dates de la vie du dossier.")
    amounts: DossierAmounts | None = Field(
        description="Montants, en centimes d’euro ; null si le jeton n’a pas la portée amounts."
    )
    changed_at: Instant = Field(description="Dernier changement du dossier.")


class Dossiers(Answer):
    items: list[Dossier] = Field(description="Les dossiers de cette page, du plus ancien changement au plus récent.")
    cursor: str | None = Field(
        description="Où cette page s’arrête : à donner à l’appel suivant, tout de suite ou un autre jour. "
        "null si rien n’a encore été lu."
    )
    has_more: bool = Field(description="Vrai s’il reste des dossiers à lire dès maintenant.")


class Count(Answer):
    state: DossierState = Field(description="État.")
    dossiers: int = Field(ge=0, description="Dossiers qui y sont.")


class Reached(Answer):
    # A step counts once it was reached, whatever became of the dossier since.
    submitted: int = Field(ge=0, description="Candidatures transmises.")
    accepted: int = Field(ge=0, description="Candidatures acceptées.")
    convention_signed: int = Field(ge=0, description="Conventions signées.")
    declared: int = Field(ge=0, description="Déclarations transmises.")
    validated: int = Field(ge=0, description="Déclarations validées.")
    paid: int = Field(ge=0, description="Dossiers versés.")


class Sum(Answer):
    requested: Cents | None = Field(description="Demandé ; null si aucun formulaire ne le demande.")
    committed: Cents = Field(description="Engagé, tant que la déclaration n’est pas validée.")
    validated: Cents = Field(description="Validé, tant que ce n’est pas versé.")
    paid: Cents = Field(description="Versé.")


class Statistic(Answer):
    domain: DossierDomain = Field(description="Domaine de financement.")
    region: DossierRegion = Field(description="Région.")
    kind: DossierKind = Field(description="Type d’établissement.")
    states: list[Count] = Field(description="Dossiers par état ; un état sans dossier n’y figure pas.")
    reached: Reached = Field(description="Dossiers arrivés à chaque étape, quoi qu’ils soient devenus depuis.")
    amounts: Sum | None = Field(
        description="Sommes, en centimes d’euro ; chaque dossier y compte une fois, engagé, puis validé, puis versé. "
        "null si le jeton n’a pas la portée amounts."
    )


class Statistics(Answer):
    at: Instant = Field(description="L’instant de ces chiffres ; le même sur toutes les pages d’une lecture.")
    items: list[Statistic] = Field(
        description="Une ligne par domaine, région et type d’établissement qui a un dossier."
    )
    cursor: str | None = Field(description="À donner à l’appel suivant ; null à la dernière page.")
    has_more: bool = Field(description="Vrai s’il reste des lignes.")


class Domain(Answer):
    code: str = Field(description="Identifiant, stable.")
    name: str = Field(description="Nom.")
    kinds: list[KindCode] = Field(description="Types d’établissement qui peuvent candidater.")
    is_trial: bool = Field(description="Vrai si le domaine est un essai, dont les dossiers sont fictifs.")
    candidature_from: Day | None = Field(description="Premier jour des candidatures.")
    candidature_until: Day | None = Field(description="Dernier jour pour commencer une candidature ; null : sans fin.")
    declaration_from: Day | None = Field(description="Premier jour des déclarations ; null : dès la convention signée.")
    declaration_until: Day | None = Field(description="Dernier jour d’un premier envoi de la déclaration.")
    envelope: Cents | None = Field(
        description="Enveloppe, en centimes d’euro ; null si le jeton n’a pas la portée amounts."
    )


class Domains(Answer):
    items: list[Domain] = Field(description="Les domaines que le jeton peut lire, tous sur une page.")


class ParameterError(Answer):
    name: str = Field(description="Le paramètre.")
    detail: str = Field(description="Ce qui ne va pas, et comment le corriger.")


class Problem(Answer):
    # RFC 9457.
    type: str = Field(description="Adresse de la page qui explique cette erreur, stable : pour les machines.")
    title: str = Field(description="L’erreur, en quelques mots.")
    status: int = Field(description="Le code HTTP.")
    detail: str = Field(description="Ce qui ne va pas, et que faire.")
    errors: list[ParameterError] = Field(description="Les paramètres en cause.")
