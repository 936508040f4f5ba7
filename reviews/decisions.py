"""The decisions of a reviewer: for each verb its form and what the page says, before and after the click."""

from collections.abc import Callable
from dataclasses import dataclass, field

from django import forms

from applications import amends
from applications.models import Application
from applications.states import State
from reviews.forms import AcceptForm, CancelChangesForm, ChangesForm, MessageForm, PaymentForm, SendBackForm
from reviews.signing_forms import ConventionForm, RefuseCopyForm


@dataclass(frozen=True)
class Words:
    """Title and button, what will happen, and what to say once it has happened."""

    title: str
    consequence: str
    done: str
    attested: str = ""
    """Said in the place of `consequence` while points are left to check: what the agent answers for by the click."""


@dataclass(frozen=True)
class Decision:
    verb: str
    form: Callable[..., forms.Form]
    words: Words
    words_in: dict[State, Words] = field(default_factory=dict)
    style: str = "secondary"
    """Of its button: primary (the dossier goes on), secondary, or tertiary (the dossier ends)."""

    fault_of: Callable[[Application], str] = lambda _application: ""
    """Why it cannot be used now, besides the state; empty when it can."""

    @property
    def lets_go_on(self) -> bool:
        return self.style == "primary"

    def words_for(self, application: Application) -> Words:
        return self.words_in.get(State(application.state), self.words)


_ACCEPT = Decision(
    "accept",
    AcceptForm,
    Words(
        "Accepter la candidature",
        "La candidature est complète et recevable. Elle est acceptée, et l’ANS fait signer la convention.",
        "La candidature est acceptée. L’ANS peut faire signer la convention.",
        "En acceptant, vous attestez que la candidature est complète et recevable malgré les points ci-dessus. "
        "Elle est acceptée, et l’ANS fait signer la convention.",
    ),
    {
        State.DECLARATION_SUBMITTED: Words(
            "Transmettre la déclaration à l’ANS",
            "La déclaration est complète : toutes les pièces demandées y sont. Elle part au contrôle de l’ANS.",
            "La déclaration est transmise à l’ANS.",
            "En transmettant, vous attestez que la déclaration est complète malgré les points ci-dessus. "
            "Elle part au contrôle de l’ANS.",
        ),
        State.UNDER_CONTROL: Words(
            "Valider la déclaration",
            "Les preuves montrent que tous les objectifs sont atteints. La déclaration est validée, "
            "et le versement peut être préparé.",
            "La déclaration est validée.",
            "En validant, vous attestez que les preuves montrent que tous les objectifs sont atteints, malgré les "
            "points ci-dessus. La déclaration est validée, et le versement peut être préparé.",
        ),
    },
    style="primary",
)

_REQUEST_CHANGES = Decision(
    "request_changes",
    ChangesForm,
    Words(
        "Demander une modification",
        "Le formulaire est rendu au référent, qui le corrige et le transmet à nouveau. "
        "Si vous cochez des questions, elles seules lui sont ouvertes, avec celles qui en dépendent. "
        "Une déclaration corrigée revient au service qui a demandé la modification.",
        "La demande de modification est envoyée.",
    ),
)

_CANCEL_CHANGES = Decision(
    "cancel_changes",
    CancelChangesForm,
    Words(
        "Annuler la demande de modification",
        "La demande est retirée et le dossier revient à la vérification, tel qu’il avait été transmis. "
        "Ce n’est possible que tant que l’établissement n’a rien changé.",
        "La demande de modification est annulée. Le dossier est de nouveau à vérifier.",
    ),
    style="tertiary",
    fault_of=amends.fault_of,
)

_REJECT = Decision(
    "reject",
    MessageForm,
    Words(
        "Rejeter la candidature",
        "La candidature est rejetée. Seule l’ANS peut la remettre à l’examen. "
        "L’établissement ne peut pas en déposer une autre dans ce domaine.",
        "La candidature est rejetée.",
    ),
    {
        State.UNDER_CONTROL: Words(
            "Rejeter la déclaration",
            "Les objectifs ne sont pas atteints : la déclaration est rejetée et rien ne sera versé. "
            "Vous pourrez la remettre à l’examen.",
            "La déclaration est rejetée.",
        ),
    },
    style="tertiary",
)

_REOPEN = Decision(
    "reopen",
    MessageForm,
    Words(
        "Remettre la candidature à l’examen",
        "Le rejet est annulé. La candidature revient à la vérification de l’ARS.",
        "La candidature est remise à l’examen de l’ARS.",
    ),
    {
        State.DECLARATION_REJECTED: Words(
            "Remettre la déclaration à l’examen",
            "Le rejet est annulé. La déclaration revient au contrôle de l’ANS.",
            "La déclaration est remise au contrôle de l’ANS.",
        ),
    },
)

_SEND_BACK = Decision(
    "send_back",
    SendBackForm,
    Words(
        "Renvoyer à l’ARS",
        "La déclaration quitte le contrôle de l’ANS et revient à la vérification de l’ARS.",
        "La déclaration est renvoyée à l’ARS.",
    ),
)

_SIGN_CONVENTION = Decision(
    "sign_convention",
    ConventionForm,
    Words(
        "Enregistrer la convention signée",
        "La convention est signée par toutes les parties. "
        "La déclaration s’ouvre aussitôt, ou au jour prévu par le calendrier du domaine.",
        "La convention signée est enregistrée.",
    ),
    style="primary",
)

REFUSE_COPY = Decision(
    "refuse_copy",
    RefuseCopyForm,
    Words(
        "Refuser l’exemplaire signé",
        "L’exemplaire déposé par l’établissement ne convient pas. Le référent est prévenu et peut en déposer un "
        "autre ; la candidature reste acceptée.",
        "L’exemplaire signé est refusé.",
    ),
)
"""Of a copy, not a move of the dossier: its page is `reviews.signing`."""

_RECORD_PAYMENT = Decision(
    "record_payment",
    PaymentForm,
    Words(
        "Enregistrer le versement",
        "Le financement a été versé à l’établissement. Le dossier est terminé : cette action est définitive.",
        "Le versement est enregistré. Le dossier est terminé.",
    ),
    style="primary",
)

_ABANDON = Decision(
    "abandon",
    MessageForm,
    Words(
        "Abandonner le dossier",
        "Le dossier prend fin et son financement est libéré : cette action est définitive.",
        "Le dossier est abandonné.",
    ),
    style="tertiary",
)

MOVE_DUE_DATE = Words(
    "Changer l’échéance de la correction",
    "La demande de modification reste la même. Seul change le jour auquel la correction est attendue, plus tard ou "
    "plus tôt ; laissez vide pour n’en fixer aucun.",
    "L’échéance de la correction est changée.",
)
"""Of a change request, not a move of the dossier: its page is `reviews.amending`."""

DECISIONS = {
    decision.verb: decision
    for decision in (
        _ACCEPT,
        _SIGN_CONVENTION,
        _RECORD_PAYMENT,
        _REQUEST_CHANGES,
        _CANCEL_CHANGES,
        _SEND_BACK,
        _REOPEN,
        _REJECT,
        _ABANDON,
    )
}
