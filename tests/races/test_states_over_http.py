"""Every verb × every state × every role, by a real post rightly filled: each cell that the table of the life of a
dossier (tests/applications/life_cycle.py) does not allow is refused, with the right status, and nothing is written.

404: not theirs to see; 403: not theirs to do; 409: not now; 302 to the sign-in: not (or no longer) somebody. The
protections: `visible_to`, then the permission and the source states of each transition, as `may` and `may_now` of
`applications/rules.py` ask for them; the verbs ask again (tests/applications/test_life_cycle.py).
"""

import pytest
from django.test import Client
from django.urls import reverse

from applications.models import Application
from tests.applications.life_cycle import MOVES, ROLES, STATES, dossier, expected, people, traces
from tests.counts import IS_FULL
from tests.factories import EstablishmentFactory
from tests.faults import row_counts
from tests.posts import WHY, file, in_days, today
from tests.races.refusing import copy_of

pytestmark = pytest.mark.django_db
PEOPLE = [role for role in ROLES if role != "nobody"]
OF_REFERENTS = {"submit", "withdraw"}
TYPED = {
    "submit": {},
    "withdraw": {},
    "request_changes": WHY | {"due_on": in_days(20)},
    "cancel_changes": WHY,
    "accept": {},
    "reject": WHY,
    "reopen": WHY,
    "send_back": WHY,
    "sign_convention": {"signed_on": today(), "establishment_signed_on": today()},
    "record_payment": {"reference": "VIR-2026-0042", "paid_on": today()},
    "abandon": WHY,
}
SEE_IT = {"owner", "ars", "ans"}
REFUSALS = {"denied": 403, "not now": 409}


def test_every_verb_of_the_workflow_is_posted():
    transitions = Application._meta.get_field("state").get_all_transitions(Application)
    assert {one.name for one in transitions} - {"open_declaration"} == set(MOVES) == set(TYPED)


def address(verb: str, application) -> str:
    return reverse(f"{'applications' if verb in OF_REFERENTS else 'reviews'}:{verb}", args=[application.reference])


def status_for(role: str, verb: str, state: str) -> int | None:
    """What the post is answered; None when it is allowed."""
    outcome = expected(verb, state, role)
    if outcome in STATES:
        return None
    if role == "anonymous" or role.startswith("inactive"):
        return 302
    return REFUSALS[outcome] if role in SEE_IT else 404


def cells(state: str):
    """Verb and role; in each run a third of them, all with ECARE_FULL."""
    found = [(verb, role) for verb in MOVES for role in PEOPLE]
    return found if IS_FULL else found[STATES.index(state) % 3 :: 3]


@pytest.fixture
def cast():
    return people(EstablishmentFactory())


@pytest.fixture
def browsers(cast, signed_in):
    return {role: Client() if role == "anonymous" else signed_in(cast[role]) for role in PEOPLE}


@pytest.mark.parametrize("state", STATES)
def test_whoever_may_not_is_refused_and_nothing_is_written(state, cast, browsers):
    application = dossier(state, owner=cast["owner"])
    for role in PEOPLE:
        if role.startswith("inactive"):
            type(cast["owner"]).objects.filter(pk=cast[role].pk).exclude(pk=cast["owner"].pk).update(is_active=False)
    before, refused = (traces(application), row_counts()), 0
    for verb, role in cells(state):
        if role == "inactive_owner":
            continue  # the owner themselves: below
        status = status_for(role, verb, state)
        if status is None:
            continue
        more = file("upload") if verb == "sign_convention" else {}
        typed = TYPED[verb] | {"version": application.version} | more
        answer = copy_of(browsers[role]).post(address(verb, application), typed)
        assert answer.status_code == status, (verb, role)
        if status == 302:
            assert answer["Location"].startswith("/connexion/"), (verb, role)
        assert (traces(application), row_counts()) == before, (verb, role)
        refused += 1
    assert refused > 20


@pytest.mark.parametrize("state", ["draft", "submitted"])
def test_a_referent_whose_account_was_closed_does_nothing_more(state, cast, browsers):
    application = dossier(state, owner=cast["owner"])
    type(cast["owner"]).objects.filter(pk=cast["owner"].pk).update(is_active=False)
    before = traces(application), row_counts()
    for verb in OF_REFERENTS:
        answer = copy_of(browsers["owner"]).post(address(verb, application), {"version": application.version})
        assert answer["Location"].startswith("/connexion/")
        assert (traces(application), row_counts()) == before
