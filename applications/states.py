"""The life of a dossier: its states, and what each audience reads (product page, §9)."""

from django.db import models


class State(models.TextChoices):
    """Value, and the label that the référent reads."""

    DRAFT = "draft", "À compléter"
    SUBMITTED = "submitted", "En cours de vérification (ARS)"
    CHANGES_REQUESTED = "changes_requested", "À modifier"
    ACCEPTED = "accepted", "Acceptée, convention à signer"
    CONVENTION_SIGNED = "convention_signed", "Convention signée, déclaration à venir"
    REJECTED = "rejected", "Rejetée"
    DECLARATION_OPEN = "declaration_open", "À compléter"
    DECLARATION_SUBMITTED = "declaration_submitted", "En cours de vérification (ARS)"
    DECLARATION_CHANGES_REQUESTED = "declaration_changes_requested", "À modifier"
    UNDER_CONTROL = "under_control", "En cours de contrôle (ANS)"
    VALIDATED = "validated", "Validée"
    PAID = "paid", "Versée"
    DECLARATION_REJECTED = "declaration_rejected", "Rejetée"
    WITHDRAWN = "withdrawn", "Retirée"
    ABANDONED = "abandoned", "Abandonnée"


REVIEWER_LABELS: dict[str, str] = {
    State.DRAFT: "Candidature en brouillon",
    State.SUBMITTED: "Candidature à vérifier (ARS)",
    State.CHANGES_REQUESTED: "Candidature à modifier par l’établissement",
    State.ACCEPTED: "Candidature acceptée, convention à signer",
    State.CONVENTION_SIGNED: "Convention signée, déclaration à venir",
    State.REJECTED: "Candidature rejetée",
    State.DECLARATION_OPEN: "Déclaration en brouillon",
    State.DECLARATION_SUBMITTED: "Déclaration à vérifier (ARS)",
    State.DECLARATION_CHANGES_REQUESTED: "Déclaration à modifier par l’établissement",
    State.UNDER_CONTROL: "Déclaration à contrôler (ANS)",
    State.VALIDATED: "Validée, à verser",
    State.PAID: "Versée",
    State.DECLARATION_REJECTED: "Déclaration rejetée",
    State.WITHDRAWN: "Retirée par l’établissement",
    State.ABANDONED: "Abandonnée",
}


TOLD_STATES = tuple(state for state in State if state != State.DRAFT)
"""What a dossier may be for whoever is outside: before it is sent, it does not exist for them (ADR 7)."""


class Step(models.TextChoices):
    CANDIDATURE = "candidature", "Formulaire de candidature"
    DECLARATION = "declaration", "Déclaration d’atteinte des objectifs"


class Desk(models.TextChoices):
    """Who reads a sent dossier, and so who asked for a change."""

    ARS = "ars", "ARS"
    ANS = "ans", "ANS"

    @classmethod
    def of(cls, agent) -> "Desk":
        """The desk at which an agent sits."""
        return cls.ARS if agent.is_ars else cls.ANS


CANDIDATURE_EDITABLE = (State.DRAFT, State.CHANGES_REQUESTED)
DECLARATION_EDITABLE = (State.DECLARATION_OPEN, State.DECLARATION_CHANGES_REQUESTED)
BEING_CORRECTED = (State.CHANGES_REQUESTED, State.DECLARATION_CHANGES_REQUESTED)
EDITABLE = CANDIDATURE_EDITABLE + DECLARATION_EDITABLE
IN_DECLARATION = (
    State.DECLARATION_OPEN,
    State.DECLARATION_SUBMITTED,
    State.DECLARATION_CHANGES_REQUESTED,
    State.UNDER_CONTROL,
    State.VALIDATED,
    State.PAID,
    State.DECLARATION_REJECTED,
)
BEFORE_ACCEPTANCE = (State.DRAFT, State.SUBMITTED, State.CHANGES_REQUESTED)
FROM_ACCEPTANCE = (
    State.ACCEPTED,
    State.CONVENTION_SIGNED,
    State.DECLARATION_OPEN,
    State.DECLARATION_SUBMITTED,
    State.DECLARATION_CHANGES_REQUESTED,
    State.UNDER_CONTROL,
    State.VALIDATED,
    State.DECLARATION_REJECTED,
)
ENDED = (State.PAID, State.REJECTED, State.DECLARATION_REJECTED, State.WITHDRAWN, State.ABANDONED)
AWAITS_ARS = (State.SUBMITTED, State.DECLARATION_SUBMITTED)
AWAITS_ANS = (State.ACCEPTED, State.UNDER_CONTROL, State.VALIDATED)
