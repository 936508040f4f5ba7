"""What keeps a form from being published, and what its author should look at: each fault says where it stands."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from applications.models import Question, Section
from applications.rules import KIND
from establishments.models import Establishment

WITH_CHOICES = (Question.Kind.CHOICE, Question.Kind.CHOICES)
CONTACT_FIELDS = {
    "civility": "Civilité",
    "last_name": "Nom",
    "first_name": "Prénom",
    "email": "Adresse e-mail",
    "job": "Fonction exercée",
    "phone": "Téléphone",
}
KIND_OF_CONTACT_FIELD = {"civility": "civility", "email": "email", "phone": "phone"}
FORMATS = ("pdf", "doc", "docx", "xlsx", "zip", "jpg", "png", "zed")
"""Those that the vault knows how to check."""
MOST_MEGABYTES, MOST_FILES = 200, 100


@dataclass(frozen=True)
class Fault:
    """One sentence; `field` of the question it is about. A fault that does not block is to be looked at."""

    message: str
    section: Section | None = None
    question: Question | None = None
    field: str = ""
    blocks: bool = True


def faults_of_question(question: Question) -> Iterator[Fault]:
    """What is wrong with a question by itself."""
    for check in (_key, _box, _choices, _contact, _space, _container, _objective, _share):
        for field, message in check(question):
            yield Fault(message, question.section, question, field)


def faults_of(sections: list[Section], questions: list[Question], former: list[Question]) -> list[Fault]:
    """Of a whole form. `questions`: in their order, each with its section; `former`: those of the version before."""
    found = [*_of_sections(sections, questions)]
    asked: dict[str, Question] = {}
    for question in questions:
        found += faults_of_question(question)
        found += _of_neighbours(question, asked)
        found += _of_conditions(question, asked)
        asked.setdefault(question.key, question)
    return [*found, *_of_keys(questions, former)]


# --- a question by itself -----------------------------------------------------------------------------------------
def _key(question: Question):
    if not re.fullmatch(r"[a-z0-9-]{1,50}", question.key):
        yield "key", "Des minuscules, des chiffres et des traits d’union, 50 au plus : « rib », « d1-o1-a »."


def _box(question: Question):
    is_box = question.kind == Question.Kind.CHECKBOX
    if is_box and not question.checkbox_label:
        yield "checkbox_label", "Écrivez le texte de la case que la personne coche."
    if question.checkbox_label and not is_box:
        yield "checkbox_label", "Seule une case à cocher porte ce texte : effacez-le, ou changez le type."


def _choices(question: Question):
    if question.kind not in WITH_CHOICES:
        if question.choices:
            yield (
                "choices",
                "Seul un choix unique ou multiple a des réponses possibles : effacez-les, ou changez le type.",
            )
        return
    values = [value for value, _label in question.choices]
    if len(values) < 2:
        yield "choices", "Donnez au moins deux réponses possibles, une par ligne : « oui = Oui »."
    for value in sorted({value for value in values if values.count(value) > 1}):
        yield "choices", f"La valeur « {value} » est donnée deux fois : chaque réponse a la sienne."


def _contact(question: Question):
    role, name = question.contact_role, question.contact_field
    if bool(role) != bool(name):
        yield ("contact_role" if name else "contact_field"), "Choisissez à la fois le contact et ce qu’on en demande."
        return
    if not role:
        return
    if name not in CONTACT_FIELDS:
        yield "contact_field", f"« {name} » n’est pas connu d’un contact."
    elif question.kind != KIND_OF_CONTACT_FIELD.get(name, "text"):
        wanted = Question.Kind(KIND_OF_CONTACT_FIELD.get(name, "text")).label
        yield "kind", f"« {CONTACT_FIELDS[name]} » d’un contact se demande par une question de type « {wanted} »."


def _space(question: Question):
    if question.kind != Question.Kind.EVIDENCE:
        if question.formats:
            yield "formats", "Seul un espace de dépôt a des formats : décochez-les, ou changez le type."
        return
    if not question.formats:
        yield "formats", "Cochez au moins un format : sans lui, aucun fichier ne peut être déposé."
    for unknown in (one for one in question.formats if one not in FORMATS):
        yield "formats", f"Le format « {unknown} » ne peut pas être vérifié."
    if not 1 <= question.max_megabytes <= MOST_MEGABYTES:
        yield "max_megabytes", f"Un nombre de 1 à {MOST_MEGABYTES}."
    if not 1 <= question.max_files <= MOST_FILES:
        yield "max_files", f"Un nombre de 1 à {MOST_FILES}."


def _container(question: Question):
    if question.container and (question.kind != Question.Kind.EVIDENCE or "zed" not in question.formats):
        yield "container", "Seul un espace de dépôt qui accepte le format zed remet un conteneur."
    if not re.fullmatch(r"[A-Z0-9.-]{0,20}", question.container):
        yield "container", "20 capitales, chiffres, points ou traits d’union au plus : « D1.O1 »."


def _objective(question: Question):
    if question.objective and question.kind != Question.Kind.CHECKBOX:
        yield "objective", "Seule une case à cocher atteste un objectif : videz ce champ, ou changez le type."
    if not re.fullmatch(r"[A-Z0-9.-]{0,20}", question.objective):
        yield "objective", "20 capitales, chiffres, points ou traits d’union au plus : « D1.O1.A »."


def _share(question: Question):
    if question.activity_share is not None and question.kind != Question.Kind.CHECKLIST:
        yield (
            "activity_share",
            "Seule une liste des entités rattachées demande une part de l’activité : videz ce champ.",
        )


# --- a question among the others ----------------------------------------------------------------------------------
def _of_sections(sections: list[Section], questions: list[Question]) -> Iterator[Fault]:
    if not sections:
        yield Fault("Ce formulaire n’a aucune section : ajoutez-en une, puis ses questions.")
    filled = {question.section_id for question in questions}
    for section in sections:
        if section.pk not in filled:
            yield Fault("Cette section n’a aucune question : ajoutez-en une, ou supprimez la section.", section)


def _of_neighbours(question: Question, asked: dict[str, Question]) -> Iterator[Fault]:
    """What two questions of one form may not share."""
    if question.key in asked:
        first = asked[question.key].label
        yield _at(question, "key", f"« {question.key} » est déjà la clé de « {first} » : chaque question a la sienne.")
    for other in asked.values():
        if question.container and other.container == question.container:
            message = f"L’objectif « {question.container} » a déjà son espace, « {other.label} »."
            yield _at(question, "container", message)
        if question.objective and other.objective == question.objective:
            message = f"L’objectif « {question.objective} » est déjà attesté par « {other.label} »."
            yield _at(question, "objective", message)
        bound = (question.contact_role, question.contact_field)
        if all(bound) and bound == (other.contact_role, other.contact_field):
            yield _at(question, "contact_field", f"« {other.label} » demande déjà la même chose du même contact.")


def _of_conditions(question: Question, asked: dict[str, Question]) -> Iterator[Fault]:
    for key, accepted in question.shown_if.items():
        if not isinstance(accepted, list) or not accepted:
            yield _at(question, "shown_if", f"La condition sur « {key} » ne nomme aucune réponse.")
            continue
        other = asked.get(key)
        if key != KIND and other is None:
            message = f"La condition porte sur « {key} », qui n’est pas la clé d’une question posée avant celle-ci."
            yield _at(question, "shown_if", message)
            continue
        possible = [value for value, _label in answers_to(other)]
        if not possible:
            message = f"La condition porte sur « {other.label} », qui n’est ni un choix unique ni une case à cocher."
            yield _at(question, "shown_if", message)
        for one in accepted if possible else ():
            if one not in possible:
                yield _at(question, "shown_if", f"« {one} » n’est pas une réponse possible à « {key} ».")


def answers_to(question: Question | None) -> list[tuple[object, str]]:
    """The values that a condition may name, and how they are read; None: the kind of the establishment."""
    if question is None:
        return [(str(kind), str(kind.label)) for kind in Establishment.Kind]
    if question.kind == Question.Kind.CHECKBOX:
        return [(True, "Cochée"), (False, "Non cochée")]
    if question.kind == Question.Kind.CHOICE:
        return [(value, label) for value, label in question.choices]
    return []


def _of_keys(questions: list[Question], former: list[Question]) -> Iterator[Fault]:
    """A key says across versions that it is the same question: models, exports and comparisons follow it."""
    before = {question.key: question for question in former}
    keys = {question.key for question in questions}
    gone = {question.label: question.key for question in former if question.key not in keys}
    for question in questions:
        same = before.get(question.key)
        if same is not None and same.kind != question.kind:
            message = (
                f"Dans la version précédente, la clé « {question.key} » est celle d’une question de type "
                f"« {same.get_kind_display()} ». Donnez une autre clé à celle-ci."
            )
            yield _at(question, "key", message)
        elif same is None and question.label in gone:
            message = (
                f"Cette question avait la clé « {gone[question.label]} » dans la version précédente. Gardez-la "
                "si c’est la même question : son modèle à remplir et les exports la suivent."
            )
            yield _at(question, "key", message, blocks=False)


def _at(question: Question, field: str, message: str, *, blocks: bool = True) -> Fault:
    return Fault(message, question.section, question, field, blocks)
