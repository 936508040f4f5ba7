"""What one version of a form says otherwise than another, in the words of its author."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from applications.form_faults import CONTACT_FIELDS
from applications.forms import condition_of
from applications.models import FormVersion, Question, questions_of
from applications.rules import KIND
from ecare import french
from establishments.models import Establishment


@dataclass(frozen=True)
class Difference:
    """One fact of a question, before and after."""

    name: str
    before: str
    after: str


@dataclass
class Change:
    """A question of both versions that is no longer the same."""

    question: Question
    differences: list[Difference] = field(default_factory=list)


@dataclass(frozen=True)
class Added:
    """A question of the later version alone; `condition`: under which answers it is asked."""

    question: Question
    condition: str


@dataclass
class Changes:
    added: list[Added] = field(default_factory=list)
    removed: list[Question] = field(default_factory=list)
    changed: list[Change] = field(default_factory=list)
    reminder: Difference | None = None

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed or self.reminder)


def changes_between(former: FormVersion, present: FormVersion) -> Changes:
    """Questions are the same when their keys are."""
    found = _changes(questions_of(former), questions_of(present))
    if former.reminder != present.reminder:
        found.reminder = Difference("Rappel des prérequis", former.reminder, present.reminder)
    return found


def _changes(former: list[Question], present: list[Question]) -> Changes:
    before = {question.key: question for question in former}
    after = {question.key: question for question in present}
    places = (_places(former, after), _places(present, before))
    found = Changes(
        added=[Added(one, condition(one, present) if one.shown_if else "") for one in present if one.key not in before],
        removed=[question for question in former if question.key not in after],
    )
    for question in present:
        if question.key in before:
            facts = (facts_of(before[question.key], former), facts_of(question, present))
            change = Change(question, list(_differences(*facts)))
            if places[0][question.key] != places[1][question.key] and not change.differences:
                was, now = places[0][question.key], places[1][question.key]
                change.differences.append(Difference("Place", f"{was}e question commune", f"{now}e question commune"))
            if change.differences:
                found.changed.append(change)
    return found


def _places(questions: list[Question], others: dict) -> dict[str, int]:
    """Ranks among the questions of both versions: one that is added or removed moves nobody."""
    common = [question.key for question in questions if question.key in others]
    return {key: rank for rank, key in enumerate(common, start=1)}


def _differences(before: dict[str, str], after: dict[str, str]) -> Iterator[Difference]:
    for name in [*after, *(name for name in before if name not in after)]:
        if before.get(name, "") != after.get(name, ""):
            yield Difference(name, before.get(name, ""), after.get(name, ""))


def facts_of(question: Question, questions: list[Question]) -> dict[str, str]:
    """Everything that a question says, by the name that its author knows; what it leaves empty is left out.

    `questions`: those of its form, which its condition may name.
    """
    facts = {
        "Section": question.section.title,
        "Intitulé": question.label,
        "Type": question.get_kind_display(),
        "Obligatoire": "oui" if question.is_required else "non",
        "Aide": question.help,
        "Texte de la case": question.checkbox_label,
        "Réponses possibles": " ; ".join(f"{value} = {label}" for value, label in question.choices),
        "Affichée si": condition(question, questions),
        "Contact": _contact(question),
        "Objectif attesté": question.objective,
        "Conteneur chiffré": question.container,
        "Part de l’activité": f"{question.activity_share} %" if question.activity_share is not None else "",
    }
    if question.is_evidence:
        facts |= {
            "Formats": ", ".join(question.formats),
            "Taille par fichier": f"{question.max_megabytes} Mo",
            "Nombre de fichiers": french.thousands(question.max_files),
        }
    return {name: said for name, said in facts.items() if said}


def condition(question: Question, questions: list[Question]) -> str:
    """Under which answers it is asked; a condition on a question that is not there keeps its raw key."""
    known = {other.key for other in questions} | {KIND}
    unknown = [f"« {key} » (question inconnue)" for key in question.shown_if if key not in known]
    said = condition_of(_readable(question), questions)
    return " et ".join([*([said] if said else []), *unknown])


def _readable(question: Question) -> Question:
    """Kinds that no establishment has are left out of what is said."""
    shown_if = {
        key: [one for one in accepted if key != KIND or one in Establishment.Kind.values]
        for key, accepted in question.shown_if.items()
        if isinstance(accepted, list)
    }
    return Question(shown_if=shown_if)


def _contact(question: Question) -> str:
    if not question.contact_role:
        return ""
    return (
        f"{question.get_contact_role_display()}, {CONTACT_FIELDS.get(question.contact_field, question.contact_field)}"
    )
