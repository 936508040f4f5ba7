"""The shape of every answer of the API; the same descriptions make its OpenAPI document and its page in French."""

from datetime import UTC, date, datetime
from typing import Annotated, Literal

from ninja import Schema
from pydantic import ConfigDict, Field, PlainSerializer, WithJsonSchema

from applications.states import Desk, State
from establishments.models import Establishment

Instant = Annotated[
    datetime,
    PlainSerializer(lambda at: at.astimezone(UTC).isoformat().replace("+00:00", "Z"), return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""In UTC, to the microsecond, as the database compares."""
Day = Annotated[
    date,
    PlainSerializer(lambda day: day.isoformat(), return_type=str),
    WithJsonSchema({"type": "string", "format": "date"}),
]
Cents = Annotated[int, Field(ge=0)]
StateName = Literal[tuple(str(one) for one in State)]  # type: ignore[valid-type]
KindName = Literal[tuple(str(one) for one in Establishment.Kind)]  # type: ignore[valid-type]
DeskName = Literal[tuple(str(one) for one in Desk)]  # type: ignore[valid-type]


class Answer(Schema):
    # Nothing but what is described ever leaves. Docstrings would stand in the document, which is in French.
    model_config = ConfigDict(extra="forbid")


class DossierState(Answer):
    code: StateName = Field(description="Valeur stable, pour les machines.")
    label: str = Field(description="Le même état, en français.")


class DossierDomain(Answer):
    code: str = Field(description="Identifiant du domaine, stable.")
    name: str = Field(description="Nom du domaine.")


class DossierRegion(Answer):
    code: str = Field(description="Code INSEE de la région.")
    name: str = Field(description="Nom de la région.")


class DossierKind(Answer):
    code: KindName = Field(description="Valeur stable, pour les machines.")
    label: str = Field(description="Le même type, en français.")


class DossierEstablishment(Answer):
    finess: str = Field(
        description="Numéro FINESS de l’entité juridique ; d’un GHT, celui de son établissement support."
    )
    ght: str | None = Field(description="Code du GHT ; vide pour les autres types.")
    name: str = Field(description="Nom de l’établissement.")
    kind: DossierKind = Field(description="Type d’établissement.")
    region: DossierRegion = Field(description="Région de l’établissement.")


class DossierDates(Answer):
    created_at: Instant = Field(description="Début du dossier.")
    submitted_at: Instant | None = Field(description="Premier envoi de la candidature.")
    decided_at: Instant | None = Field(
        description="Candidature acceptée ou rejetée ; vide tant qu’elle n’est pas décidée, ou si elle a été rouverte."
    )
    convention_signed_on: Day | None = Field(description="Signature de la convention.")
    declaration_submitted_at: Instant | None = Field(description="Premier envoi de la déclaration.")
    validated_at: Instant | None = Field(description="Déclaration validée par l’ANS.")
    paid_on: Day | None = Field(description="Jour du virement.")
    ended_at: Instant | None = Field(description="Fin du dossier : versé, rejeté, retiré ou abandonné.")


class DossierAmounts(Answer):
    # Whole cents. Each is that of its moment; they are not to be added up.
    requested: Cents | None = Field(
        description="Montant demandé, tel que transmis ; vide si le formulaire n’en demande pas."
    )
    ceiling: Cents | None = Field(description="Plafond retenu à l’acceptation de la candidature.")
    committed: Cents | None = Field(
        description="Montant engagé sur l’enveloppe ; vide avant l’acceptation, ou s’il a été libéré."
    )
    accepted: Cents | None = Field(
        description="Dépenses retenues, une fois la déclaration validée ; vide pour un forfait."
    )
    granted: Cents | None = Field(description="Montant à verser, une fois la déclaration validée.")
    paid: Cents | None = Field(description="Montant versé.")


class Dossier(Answer):
    # What a machine of the State may know of a dossier: never an answer, a file, a name or a message.
    reference: str = Field(description="Référence : dix lettres, stable.", pattern="^[A-Z]{10}$")
    domain: DossierDomain = Field(description="Domaine de financement.")
    state: DossierState = Field(description="État du dossier.")
    desk: DeskName | None = Field(
        description="Qui doit agir côté État ; vide quand le dossier n’attend aucune instance."
    )
    establishment: DossierEstablishment = Field(description="Établissement candidat.")
    dates: DossierDates = Field(description="Dates de la vie du dossier.")
    amounts: DossierAmounts | None = Field(
        description="Montants, en centimes d’euro ; vide si le jeton n’a pas la portée « amounts »."
    )
    changed_at: Instant = Field(description="Dernier changement de ce dossier.")
