"""Every page of an agent whose click mails somebody shows, before the click, whom and the very text.

The pages are found in the code: an address leads to a view, the view calls verbs by name, and a verb mails when it
calls a function of an `emails` module, itself or through another verb.
"""

import inspect
from html import unescape
from types import CodeType, FunctionType, ModuleType

import pytest
from django.template.defaultfilters import linebreaksbr
from django.urls import URLPattern, get_resolver

from ecare.letters.actions import resend
from ecare.letters.models import Letter
from tests.addresses import GET, POST, ROLES
from tests.test_query_counts import of_agents, of_files
from tests.world import World

ROOMS = ("applications", "evidence", "funding", "conventions", "reviews", "exports")

RESEND = inspect.unwrap(resend)

# Addresses that mail and have no page of their own, and where it is said.
WITHOUT = {
    "reviews:assign": "tests/reviews/test_assign.py::test_whoever_is_given_dossiers_is_told",
    "reviews:follow": "tests/reviews/test_assign.py::test_an_agent_follows_a_dossier_from_its_page_and_lets_go",
}
# The page of a letter that is sent again: it shows that very letter.
RESENT = "reviews:resend_letter"


def called_by(function: FunctionType) -> set[FunctionType]:
    """The functions of ours that this one names, also as `people.transfer`, in itself or in what it defines."""
    names, known = _names(function.__code__), function.__globals__
    found = [known.get(name) for name in names]
    found += [vars(module).get(name) for module in found if isinstance(module, ModuleType) for name in names]
    plain = {inspect.unwrap(one) for one in found if isinstance(one, FunctionType)}
    return {one for one in plain if one.__module__.partition(".")[0] in ROOMS or one is RESEND}


def _names(code: CodeType) -> set[str]:
    inner = [const for const in code.co_consts if isinstance(const, CodeType)]
    return set(code.co_names).union(*map(_names, inner))


def mails(function: FunctionType, seen: set | None = None) -> bool:
    """Itself, or through what it calls: it names a function of an `emails` module, or writes a letter again."""
    seen = set() if seen is None else seen
    seen.add(function)
    called = called_by(function)
    if any(one.__module__.endswith(".emails") or one is RESEND for one in called):
        return True
    return any(mails(one, seen) for one in called - seen)


def views(patterns, namespace=""):
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            yield f"{namespace}{pattern.name}", pattern.callback
        elif pattern.app_name != "admin":
            yield from views(pattern.url_patterns, f"{pattern.namespace}:" if pattern.namespace else namespace)


def is_for_agents(name: str) -> bool:
    """As the tables of addresses say: an agent gets it, or would with another dossier; the owner never."""
    tables = [(row, line) for table in (GET, POST) for row, line in table.items()]
    rows = [dict(zip(ROLES, line.split(), strict=True)) for row, line in tables if row.partition(" ")[0] == name]
    of_owner, of_agents = {row["owner"] for row in rows}, {row[role] for row in rows for role in ("ars", "ans")}
    return of_owner <= {"403", "404", "405"} and bool(of_agents & {"200", "302", "409"})


def pages_that_mail() -> set[str]:
    return {
        name
        for name, view in views(get_resolver().url_patterns)
        if view.__module__.partition(".")[0] in ROOMS and is_for_agents(name) and mails(inspect.unwrap(view))
    }


@pytest.mark.django_db
def test_the_page_says_whom_it_mails_and_shows_the_text(signed_in):
    world, found = World(1), pages_that_mail()
    visited = {row: visit for row, visit in _visits(world, signed_in).items() if row.partition(" ")[0] in found}
    visited.pop("reviews:accept draft")  # refused: the dossier was never sent
    visited.pop("reviews:accept under_control")  # not ready: the page says what is missing, and mails nobody
    assert {row.partition(" ")[0] for row in visited} == found - set(WITHOUT)
    for row, (browser, address) in visited.items():
        count = Letter.objects.count()
        answer = browser.get(address)
        page, context = unescape(answer.content.decode()), answer.context
        assert answer.status_code == 200, row
        shown = [context["letter"]] if row == RESENT else context["letters"]
        assert shown, f"{row}: no letter"
        assert all(letter.title in page for letter in shown), row
        assert all(linebreaksbr(letter.text) in answer.content.decode() for letter in shown), row
        told = [shown[0].recipient] if row == RESENT else [person.email for person in context["recipients"]]
        assert told or context["awaited"] in page, f"{row}: to nobody"
        assert all(email in page for email in told), row
        assert {letter.recipient for letter in shown} <= set(told) or not told, row
        assert Letter.objects.count() == count, f"{row}: looking wrote a letter"


def _visits(world: World, signed_in) -> dict:
    """Of agents, in the state that each page needs."""
    return of_files(world, signed_in) | of_agents(world, signed_in)
