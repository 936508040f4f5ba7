"""docs/workflow.md says what the transitions say."""

from io import StringIO

from django.core.management import call_command

from applications.management.commands import workflow
from applications.states import State


def test_the_document_is_what_the_transitions_say():
    assert workflow.DOCUMENT.read_text(encoding="utf-8") == workflow.document(), (
        "docs/workflow.md is out of date: run manage.py workflow --write"
    )


def test_the_command_prints_every_state_and_verb():
    printed = StringIO()
    call_command("workflow", stdout=printed)
    for state in State:
        assert f"| `{state}` |" in printed.getvalue()
    for verb in {row[0] for row in workflow.transitions()}:
        assert f"### `{verb}`" in printed.getvalue()
