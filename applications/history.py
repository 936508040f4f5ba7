"""What happened to a dossier and what was sent, as both sides read it."""

from collections.abc import Iterable
from dataclasses import dataclass

from accounts.models import User
from applications.models import Application, Question, Submission
from applications.states import REVIEWER_LABELS, State
from ecare.journal.models import Entry

# What each journal verb did, as a sentence after its author; what is not named here is not for the history
# (files put into a draft, downloads).
DEEDS = {
    "start": "a commencé la candidature",
    "submit": "a transmis le formulaire",
    "withdraw": "a retiré la candidature",
    "request_changes": "a demandé une modification",
    "cancel_changes": "a annulé la demande de modification",
    "move_due_date": "a changé l’échéance de la correction",
    "accept": "a donné un avis favorable",
    "reject": "a rejeté le dossier",
    "reopen": "a remis le dossier à l’examen",
    "send_back": "a renvoyé le dossier à l’ARS",
    "sign_convention": "a enregistré la convention signée",
    "send_copy": "a déposé la convention signée par l’établissement",
    "refuse_copy": "a refusé l’exemplaire signé de la convention",
    "store_convention": "a déposé la convention contresignée",
    "open_declaration": "a ouvert la déclaration",
    "record_payment": "a enregistré le versement",
    "abandon": "a abandonné le dossier",
    "update_contact": "a modifié un contact",
    "transfer": "a transféré le dossier",
    "give_extension": "a prolongé la date limite",
    "withdraw_extension": "a retiré la prolongation de la date limite",
    "request_take_over": "a demandé à reprendre le dossier",
    "accept_take_over": "a accepté la reprise du dossier",
    "refuse_take_over": "a refusé la reprise du dossier",
    "change_bank_details": "a demandé un changement de coordonnées bancaires",
    "confirm_bank_details": "a confirmé les nouvelles coordonnées bancaires",
    "refuse_bank_details": "a refusé les nouvelles coordonnées bancaires",
    "report_patient_data": "a signalé des données de patients dans un fichier",
    "purge_evidence": "a purgé un fichier qui contenait des données de patients",
    "dismiss_report": "a écarté le signalement d’un fichier",
    "quarantine_file": "a mis en quarantaine un fichier infecté",
    "lift_quarantine": "a levé la quarantaine d’un fichier",
    "replace_withheld": "a remplacé un fichier que personne ne pouvait lire",
    "activate_container": "a activé le téléchargement d’un conteneur ZED",
    "reissue_container": "a demandé un nouveau conteneur ZED",
}
# What agents do among themselves: no référent reads it.
BETWEEN_AGENTS = {
    "assign": "a attribué le dossier",
    "judge_files": "a examiné les pièces",
    "ask_opinion": "a demandé un avis",
    "give_opinion": "a donné un avis",
    "resend_letter": "a renvoyé un courrier",
    "fail_scan": "n’a pas pu analyser un fichier",
    "scan_again": "a demandé une nouvelle analyse d’un fichier",
}
# The same verb, said better where it led.
DEEDS_TO: dict[tuple[str, str], str] = {
    ("submit", State.SUBMITTED): "a transmis la candidature",
    ("submit", State.DECLARATION_SUBMITTED): "a transmis la déclaration",
    ("submit", State.UNDER_CONTROL): "a transmis la déclaration corrigée à l’ANS",
    ("accept", State.ACCEPTED): "a accepté la candidature",
    ("accept", State.UNDER_CONTROL): "a transmis la déclaration complète à l’ANS",
    ("accept", State.VALIDATED): "a validé la déclaration",
    ("reject", State.REJECTED): "a rejeté la candidature",
    ("reject", State.DECLARATION_REJECTED): "a rejeté la déclaration",
}
# Messages that are addressed to the référent, or about the people of their dossier; any other is between agents.
TO_REFERENT = {
    "request_changes",
    "cancel_changes",
    "move_due_date",
    "reject",
    "reopen",
    "abandon",
    "reissue_container",
    "update_contact",
    "transfer",
    "request_take_over",
    "accept_take_over",
    "refuse_take_over",
    "refuse_bank_details",
    "refuse_copy",
    "purge_evidence",
    "give_extension",
    "withdraw_extension",
}


@dataclass(frozen=True)
class Event:
    """One line of the history: who did what, the state where it led, and what was said."""

    entry: Entry
    author: str
    deed: str
    state: str
    message: str


def deed_of(entry: Entry) -> str:
    if entry.verb == "assign":
        return _assigned(entry)
    said = DEEDS | BETWEEN_AGENTS
    return DEEDS_TO.get((entry.verb, entry.to_state), said[entry.verb])


def _assigned(entry: Entry) -> str:
    """Who follows the dossier from now on; entries of earlier versions do not tell who did before."""
    if entry.facts["agent"] == entry.actor:
        return "suit désormais le dossier"
    if entry.facts["name"]:
        return f"a confié le dossier à {entry.facts['name']}"
    if "former" not in entry.facts:
        return "a retiré le suivi du dossier"
    is_theirs = entry.facts["former"] == entry.actor
    return "ne suit plus le dossier" if is_theirs else f"a retiré le suivi de {entry.facts['former_name']}"


def entries(application: Application, *, is_for_agents: bool = False):
    verbs = [*DEEDS, *BETWEEN_AGENTS] if is_for_agents else [*DEEDS]
    return Entry.objects.filter(subject=application.subject, verb__in=verbs).order_by("-sequence")


def for_reviewers(found: Iterable[Entry]) -> list[Event]:
    """Agents by their names, and every message."""
    return [
        Event(entry, entry.author, deed_of(entry), REVIEWER_LABELS.get(entry.to_state, ""), entry.words)
        for entry in found
    ]


def for_referent(application: Application) -> list[Event]:
    """Latest first; an agent is named by their service, and what agents say among themselves is left out."""
    found = list(entries(application))
    services = _services(application, found)
    labels = dict(State.choices)
    return [
        Event(
            entry,
            services.get(entry.actor, entry.author),
            deed_of(entry),
            labels.get(entry.to_state, ""),
            _told(entry) if entry.verb in TO_REFERENT else "",
        )
        for entry in found
    ]


def _told(entry: Entry) -> str:
    """Of a contact changed while the form is written, what reviewers do not read: which one, and how it reads now."""
    if entry.words or entry.verb != "update_contact":
        return entry.words
    after = entry.facts["after"]
    written = ", ".join(after[name] for name in ("first_name", "last_name", "email") if after.get(name))
    return f"{Question.ContactRole(entry.facts['role']).label}{f' : {written}' if written else ''}"


def _services(application: Application, found: list[Entry]) -> dict[str, str]:
    """By the journal's reference of a person, the service that they act for."""
    people = [entry.actor.removeprefix("user:") for entry in found if entry.actor.startswith("user:")]
    names = {User.Role.ARS: application.establishment.region.ars, User.Role.ANS: "ANS"}
    agents = User.objects.filter(pk__in=set(people), role__in=names)
    return {agent.actor[0]: names[User.Role(agent.role)] for agent in agents}


def questions_sent(submission: Submission) -> list[Question]:
    """The questions of the very form version that was sent."""
    form = {
        "section__form__domain": submission.application.domain_id,
        "section__form__step": submission.step,
        "section__form__number": submission.content["form"],
    }
    return list(Question.objects.filter(**form).select_related("section").order_by("section__position", "position"))
