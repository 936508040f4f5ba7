"""Two people do something to one dossier at the same instant: every pair of verbs that are legal in one state.

The protection is `lock` of `applications/actions.py`: the row is locked before its version and its state are looked at.
"""

from datetime import date
from itertools import combinations_with_replacement

import pytest
from django.core.exceptions import PermissionDenied

from applications import amends, people
from applications.actions import NotNow
from applications.models import Application, Submission, TakeOverRequest
from ecare.journal.actions import broken_links
from ecare.journal.models import Entry
from ecare.letters.models import Letter
from tests.applications.life_cycle import MOVES, STATES, dossier, perform
from tests.applications.life_cycle import people as cast_around
from tests.counts import IS_FULL
from tests.factories import EstablishmentFactory
from tests.racing import at_once

pytestmark = pytest.mark.django_db(transaction=True)

# Verbs that leave the state as it is: where they are legal, and what they mail.
BESIDE = {
    "transfer": ([state for state in STATES if state != "withdrawn"], ["transferred", "transferred"]),
    "accept_take_over": (
        [state for state in STATES if state != "withdrawn"],
        ["take_over_accepted", "take_over_accepted"],
    ),
    "move_due_date": (["changes_requested", "declaration_changes_requested"], ["due_date_moved"]),
}
LEAVES_THE_VERSION = {"move_due_date"}


def legal_in(state: str) -> list[str]:
    return [*(verb for verb in MOVES if state in MOVES[verb]), *(verb for verb in BESIDE if state in BESIDE[verb][0])]


def pairs_in(state: str) -> list[tuple[str, str]]:
    """In each run those of two verbs that move the dossier; all with ECARE_FULL."""
    pairs = list(combinations_with_replacement(legal_in(state), 2))
    return pairs if IS_FULL else [pair for pair in pairs if set(pair) <= set(MOVES)]


class Deed:
    """A verb, by whoever may, with what their page showed before either of them began."""

    def __init__(self, verb: str, application: Application, cast: dict):
        self.verb, self.application, self.cast = verb, application, cast
        self.version = application.version
        if verb == "accept_take_over":
            asked = {"application": application, "by": cast["colleague"], "reason": "Le référent est parti."}
            self.asked = TakeOverRequest.objects.filter(**asked).first() or TakeOverRequest.objects.create(**asked)

    def __call__(self) -> str:
        getattr(self, f"_{self.verb}", self._move)(Application.objects.get(pk=self.application.pk))
        return self.verb

    def _move(self, found):
        role = MOVES[self.verb][self.application.state][0]
        perform(self.verb, found, by=self.cast[role], version=self.version)

    def _transfer(self, found):
        people.transfer(found, by=self.cast["owner"], to=self.cast["colleague"], version=self.version)

    def _accept_take_over(self, found):
        asked = TakeOverRequest.objects.get(pk=self.asked.pk)
        people.accept_take_over(asked, by=self.cast["ars"], holder=self.cast["owner"].pk)

    def _move_due_date(self, found):
        by = self.cast["ars"]
        amends.move_due_date(found, by=by, version=self.version, due_on=date(2027, 3, 1), message="Un délai de plus.")


def letters_of(winners: list[str], state: str, deeds: list[Deed]) -> list[str]:
    names = []
    for verb in winners:
        names += [name for name, _whose in MOVES[verb][state][2]] if verb in MOVES else BESIDE[verb][1]
    if "withdraw" in winners and any(deed.verb == "accept_take_over" for deed in deeds):
        names.append("take_over_moot")
    return sorted(names)


def assert_one_story(state: str, application: Application, deeds: list[Deed], outcomes: list) -> None:
    winners = [outcome for outcome in outcomes if isinstance(outcome, str)]
    losers = [outcome for outcome in outcomes if not isinstance(outcome, str)]
    moved = [verb for verb in winners if verb in MOVES]
    assert winners and all(isinstance(loser, NotNow) and str(loser) for loser in losers), outcomes
    assert len(moved) <= 1, outcomes
    if all(deed.verb in MOVES for deed in deeds):
        assert len(winners) == 1, outcomes
        assert "a changé depuis" in str(losers[0])
    found = Application.objects.get(pk=application.pk)
    assert found.state == (MOVES[moved[0]][state][1] if moved else state)
    assert found.version == application.version + sum(verb not in LEAVES_THE_VERSION for verb in winners)
    told = Entry.objects.filter(subject=application.subject)
    assert sorted(told.values_list("verb", flat=True)) == sorted(winners)
    assert [entry.to_state for entry in told.exclude(to_state="")] == ([found.state] if moved else [])
    assert not list(broken_links(application.subject))
    around = [person.email for person in deeds[0].cast.values() if person and person.is_authenticated]  # not of others
    written = Letter.objects.about(application.subject).filter(recipient__in=around)
    assert sorted(written.values_list("name", flat=True)) == letters_of(winners, state, deeds)
    new = Submission.objects.filter(application=application).exclude(digest="a" * 64)
    assert new.count() == winners.count("submit")
    holder = "colleague" if {"transfer", "accept_take_over"} & set(winners) else "owner"
    assert found.referent == deeds[0].cast[holder]
    open_requests = found.change_requests.filter(answered_at=None).count()
    assert open_requests == int(found.state in ("changes_requested", "declaration_changes_requested"))


@pytest.mark.parametrize("state", [state for state in STATES if pairs_in(state)])
def test_of_two_who_act_at_once_exactly_one_moves_it_and_the_other_is_told(state):
    for one, other in pairs_in(state):
        cast = cast_around(EstablishmentFactory())
        application = dossier(state, owner=cast["owner"])
        deeds = [Deed(one, application, cast), Deed(other, application, cast)]
        outcomes = at_once(*deeds, refusals=(NotNow, PermissionDenied))
        assert_one_story(state, application, deeds, outcomes)


def test_every_verb_of_the_life_cycle_races():
    transitions = Application._meta.get_field("state").get_all_transitions(Application)
    assert {one.name for one in transitions} - {"open_declaration"} == set(MOVES)
