"""An administrator reads the journal in French: every verb that the code records has its word."""

import ast
from pathlib import Path

import pytest
from django.urls import reverse

from applications.states import REVIEWER_LABELS, State
from ecare.journal import words
from ecare.journal.actions import record
from tests.applications.pages import text_of
from tests.factories import UserFactory

ROOT = Path(__file__).parents[2]
ROOMS = "accounts applications backups conventions demo ecare establishments evidence exports funding reviews steering"
WRITERS = {"record", "record_each", "_note", "_tell", "move"}
"""Functions that take the verb after what it is about."""


def texts(node: ast.expr):
    """« publish », or both sides of « a if x else b »."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from (*texts(node.body), *texts(node.orelse))


def calls():
    for room in [*ROOMS.split(), "systems", "webhooks"]:
        for path in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in WRITERS:
                    yield path, node


def test_every_verb_has_its_word():
    recorded = {verb for _path, call in calls() for place in call.args[1:3] for verb in texts(place)}
    assert len(recorded) > 90
    assert recorded - set(words.VERBS) == set()


def test_no_verb_is_recorded_by_a_function_that_this_test_does_not_know():
    """A verb that is a variable is the parameter `verb` of a function that stands in `WRITERS`."""
    for path, call in calls():
        if call.func.id in ("record", "record_each") and not list(texts(call.args[1])):
            assert ast.unparse(call.args[1]) in ("verb", "measure"), path


def test_every_subject_has_its_word():
    for kind in ("application", "domain", "user", "invitation", "establishment", "extension", "export", "pool"):
        assert words.subject(f"{kind}:X") == f"{words.SUBJECTS[kind]} X"
    assert words.subject("outbox") == "Courriers"


@pytest.mark.django_db
def test_the_pages_of_the_journal_speak_french(signed_in):
    entry = record("application:VEHCXTRMWL", "submit", from_state=State.DRAFT, to_state=State.DECLARATION_SUBMITTED)
    record("letter_text:accepted", "try_letter")
    client = signed_in(UserFactory(administrator=True))
    listed = text_of(client.get(reverse("admin:journal_entry_changelist")))
    listed = listed.partition("<tbody>")[2].partition("</tbody>")[0]
    read = text_of(client.get(reverse("admin:journal_entry_change", args=[entry.pk])))
    for page in (listed, read):
        assert "Dossier VEHCXTRMWL" in page and "formulaire transmis" in page
        assert REVIEWER_LABELS[State.DECLARATION_SUBMITTED] in page
    assert "essai de courrier envoyé" in listed
    for raw in ("try_letter", ">submit<", "declaration_submitted", ">application:"):
        assert raw not in listed
