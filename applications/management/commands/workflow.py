"""Prints the life of a dossier, read from its transitions: `manage.py workflow --write` keeps docs/workflow.md true."""

from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand
from django_fsm import RETURN_VALUE

from applications.models import Application
from applications.states import AWAITS_ANS, AWAITS_ARS, EDITABLE, REVIEWER_LABELS, State

DOCUMENT = Path(settings.BASE_DIR) / "docs" / "workflow.md"

ROLES = {
    "act_as_referent": "référent",
    "act_as_ars": "ARS",
    "act_as_ans": "ANS",
    "act_as_asker": "ARS or ANS",
    "act_as_system": "system",
}
COLUMNS = ("référent", "ARS", "ANS", "system")

INTRODUCTION = """\
# Life of a dossier

Made by `manage.py workflow --write` from the transitions of `applications/models/application.py`; a test fails when
this page and the code disagree. Do not edit it by hand.

*référent*: the one who holds the dossier · *ARS*: an agent of the establishment’s region · *ANS*: any agent of the
ANS · *system*: the worker, no person. An inactive account, a colleague, another region or an administrator may do
nothing here. *ARS or ANS*: the one of the two whose change request is open. Whoever may use a verb in some state only
is told « not now » (409) elsewhere; anybody else is refused (403), or does not see the dossier at all (404).
"""


def transitions():
    """(verb, source, targets, role) of every transition, in the order in which the states are declared."""
    rank = {str(state): number for number, state in enumerate(State)}
    found = [
        (t.name, str(t.source), _targets(t), ROLES[str(t.permission)])
        for t in Application._meta.get_field("state").get_all_transitions(Application)
    ]
    return sorted(found, key=lambda row: (rank[row[1]], rank[row[2][0]], row[0]))


def _targets(transition) -> list[str]:
    if isinstance(transition.target, RETURN_VALUE):
        return [str(state) for state in transition.target.allowed_states]
    return [str(transition.target)]


def _awaits(state: State) -> str:
    """Whose desk the dossier lies on."""
    if state in EDITABLE:
        return "référent"
    if state == State.ACCEPTED:
        return "référent, then ANS"
    if state in AWAITS_ARS:
        return "ARS"
    if state in AWAITS_ANS:
        return "ANS"
    return "system" if state == State.CONVENTION_SIGNED else "–"


def _diagram(rows) -> list[str]:
    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> draft: start"]
    for verb, source, targets, _role in rows:
        lines += [f"    {source} --> {target}: {verb}" for target in targets]
    ends = [state for state in State if not any(source == state for _verb, source, _targets, _role in rows)]
    return [*lines, *(f"    {state} --> [*]" for state in ends), "```"]


def _state_table(rows) -> list[str]:
    lines = [
        "| state | label for the référent | label for the reviewers | awaits | référent | ARS | ANS | system |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for state in State:
        cells = [f"`{state}`", state.label, REVIEWER_LABELS[state], _awaits(state)]
        for role in COLUMNS:
            moves = [
                f"`{verb}` → {' or '.join(targets)}"
                for verb, source, targets, who in rows
                if source == state and role in who.split(" or ")
            ]
            cells.append("<br>".join(moves) or "–")
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _verb_tables(rows) -> list[str]:
    lines = []
    for verb in sorted({row[0] for row in rows}):
        lines += ["", f"### `{verb}`", "", "| from | to | who |", "|---|---|---|"]
        lines += [
            f"| `{source}` | {' or '.join(f'`{target}`' for target in targets)} | {role} |"
            for name, source, targets, role in rows
            if name == verb
        ]
    return lines


def document() -> str:
    """The whole page."""
    rows = transitions()
    parts = [
        INTRODUCTION.rstrip(),
        "",
        "## Diagram",
        "",
        *_diagram(rows),
        "",
        "## State × role",
        "",
        *_state_table(rows),
        "",
        "## Verb by verb",
        *_verb_tables(rows),
    ]
    return "\n".join(parts) + "\n"


class Command(BaseCommand):
    help = "Print the life of a dossier (state × verb × role) as Markdown."
    requires_system_checks = ()

    def add_arguments(self, parser):
        parser.add_argument("--write", action="store_true", help=f"write {DOCUMENT.relative_to(settings.BASE_DIR)}")

    def handle(self, *args, write, **options):
        if write:
            DOCUMENT.write_text(document(), encoding="utf-8")
            self.stdout.write(f"{DOCUMENT.relative_to(settings.BASE_DIR)} is up to date.")
        else:
            self.stdout.write(document(), ending="")
