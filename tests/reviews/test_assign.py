"""Who follows a dossier at a desk."""

from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone

from applications.history import deed_of
from applications.states import Desk, State
from ecare.journal.actions import broken_links
from ecare.journal.models import Entry
from ecare.letters.models import Letter
from reviews import assignments
from reviews.assignments import NotTheirs, assign
from reviews.models import Assignment
from tests.factories import (
    ApplicationFactory,
    DepartmentFactory,
    EstablishmentFactory,
    LegalEntityFactory,
    RegionFactory,
    UserFactory,
)
from tests.racing import at_once

pytestmark = pytest.mark.django_db

QUEUE, ASSIGN = reverse("reviews:queue"), reverse("reviews:assign")
SIGNED_AT = datetime(2026, 7, 1, tzinfo=UTC)  # the copy of the establishment: the ANS is to countersign


def of_region(code):
    department = DepartmentFactory(code=code, region=RegionFactory(code=code))
    establishment = EstablishmentFactory(legal_entity=LegalEntityFactory(department=department))
    return ApplicationFactory(state=State.SUBMITTED, referent=UserFactory(establishment=establishment))


def held():
    return set(Assignment.objects.values_list("application__reference", "desk", "agent__username"))


@pytest.fixture
def ans():
    return UserFactory(ans=True, username="ans")


def test_an_agent_is_given_dossiers_and_history_says_by_whom(ans):
    other, dossiers = UserFactory(ans=True, username="autre"), [ApplicationFactory() for _ in range(2)]
    references = [dossier.reference for dossier in dossiers]
    assert assign(references, to=other, by=ans) == 2
    assert held() == {(reference, Desk.ANS, "autre") for reference in references}
    for dossier in dossiers:
        entry = Entry.objects.get(subject=dossier.subject, verb="assign")
        assert entry.data == {"desk": "ans", "agent": f"user:{other.pk}", "name": str(other)}
        assert deed_of(entry) == f"a confié le dossier à {other}"
        assert entry.actor == f"user:{ans.pk}"
        assert list(broken_links(dossier.subject)) == []


def test_whoever_is_given_dossiers_is_told(ans, signed_in):
    """One letter for all, of those that changed hands; it does not leave when nothing of it is true any more."""
    other, dossiers = UserFactory(ans=True), [ApplicationFactory(state=State.PAID) for _ in range(3)]
    references = [dossier.reference for dossier in dossiers]
    assign(references[:1], to=other, by=other)
    assert not Letter.objects.exists(), "nobody is told of what they do themselves"
    answer = signed_in(ans).post(ASSIGN, {"query": "etat=tous", "scope": "vue", "agent": other.pk}, follow=True)
    assert "prévenu par courrier électronique" in answer.content.decode()
    letter = Letter.objects.get()
    assert (letter.name, letter.recipient) == ("dossiers_assigned", other.email)
    assert "2 dossiers" in letter.title and f"{ans} vous attribue 2 dossiers" in letter.text
    listed = signed_in(other).get(letter.link.removeprefix(settings.SITE_ADDRESS)).content.decode()
    assert all(reference in listed for reference in references), "whatever their state"
    assign(references, to=other, by=ans)
    assert Letter.objects.count() == 1, "nothing changed hands"
    assert assignments.are_still_followed(letter, timezone.now())
    assign(references[1:], to=None, by=ans)
    assert not assignments.are_still_followed(letter, timezone.now())
    assert Letter.objects.count() == 1


def test_the_queue_says_whom_the_click_mails(ans, signed_in):
    ApplicationFactory(state=State.ACCEPTED, signed_copy_at=SIGNED_AT)
    page = signed_in(ans).get(QUEUE).content.decode()
    assert "reçoit un seul courrier électronique" in page


def test_what_is_already_so_changes_nothing(ans):
    reference = ApplicationFactory().reference
    assign([reference], to=ans, by=ans)
    assert assign([reference], to=ans, by=ans) == 0
    assert Entry.objects.filter(verb="assign").count() == 1


def test_nobody_follows_it_any_more(ans):
    reference = ApplicationFactory().reference
    assign([reference], to=ans, by=ans)
    assert assign([reference], to=None, by=UserFactory(ans=True)) == 1
    assert held() == set()
    assert [deed_of(entry) for entry in Entry.objects.filter(verb="assign").order_by("sequence")] == [
        "suit désormais le dossier",
        f"a retiré le suivi de {ans}",
    ]


def test_each_desk_has_an_agent_of_its_own(ans):
    dossier = of_region("76")
    ars = UserFactory(ars=True, username="ars", regions=[RegionFactory(code="76")])
    assign([dossier.reference], to=ans, by=ans)
    assign([dossier.reference], to=ars, by=ars)
    assert held() == {(dossier.reference, Desk.ANS, "ans"), (dossier.reference, Desk.ARS, "ars")}


def test_a_dossier_of_another_region_is_not_given_and_nothing_else_either():
    here, there = of_region("76"), of_region("75")
    both = UserFactory(ars=True, regions=[RegionFactory(code="76"), RegionFactory(code="75")])
    one = UserFactory(ars=True, regions=[RegionFactory(code="76")])
    with pytest.raises(NotTheirs, match=there.reference):
        assign([here.reference, there.reference], to=one, by=both)
    assert held() == set()


def test_what_the_giver_may_not_see_is_left_out():
    far = of_region("75")
    ars = UserFactory(ars=True, regions=[RegionFactory(code="76")])
    assert assign([far.reference], to=ars, by=ars) == 0
    assert held() == set()


@pytest.mark.parametrize("traits", [{"ars": True}, {"administrator": True}, {}, {"ans": True, "is_active": False}])
def test_only_an_active_agent_of_the_same_desk_is_given_dossiers(traits, ans):
    reference = ApplicationFactory().reference
    with pytest.raises(PermissionDenied):
        assign([reference], to=UserFactory(**traits), by=ans)
    assert held() == set()


@pytest.mark.parametrize("traits", [{"administrator": True}, {}, {"ans": True, "is_active": False}])
def test_only_an_active_agent_gives_dossiers(traits):
    dossier = ApplicationFactory()
    with pytest.raises(PermissionDenied):
        assign([dossier.reference], to=None, by=UserFactory(**traits))


# --- the page -----------------------------------------------------------------------------------------------------
def test_the_ticked_dossiers_are_given_and_the_view_comes_back(ans, signed_in):
    ticked, left = (ApplicationFactory(state=State.ACCEPTED, signed_copy_at=SIGNED_AT) for _ in range(2))
    asked = {"query": "etat=accepted", "scope": "coches", "dossiers": [ticked.reference], "agent": ans.pk}
    answer = signed_in(ans).post(ASSIGN, asked, follow=True)
    assert answer.redirect_chain == [(f"{QUEUE}?etat=accepted", 302)]
    assert held() == {(ticked.reference, Desk.ANS, "ans")}
    assert "1 dossier est suivi par vous." in answer.content.decode()
    assert left.reference in answer.content.decode()


def test_the_list_opens_on_oneself_and_nobody_is_taken_off_by_default(ans, signed_in):
    dossier, colleague = ApplicationFactory(state=State.UNDER_CONTROL), UserFactory(ans=True, last_name="Aa")
    assign([dossier.reference], to=colleague, by=colleague)
    page = signed_in(ans).get(QUEUE).context["assign_form"]
    assert [value for value, _label in page.fields["agent"].choices] == [str(ans.pk), str(colleague.pk), "personne"]
    asked = {"scope": "coches", "dossiers": [dossier.reference], "agent": "personne"}
    signed_in(ans).post(ASSIGN, asked | {"moi": "1"})
    assert held() == {(dossier.reference, Desk.ANS, "ans")}
    answer = signed_in(ans).post(ASSIGN, asked, follow=True)
    assert "Plus personne ne suit ce dossier." in answer.content.decode()
    assert held() == set()


def test_an_agent_follows_a_dossier_from_its_page_and_lets_go(ans, signed_in):
    dossier, browser = ApplicationFactory(state=State.UNDER_CONTROL), signed_in(ans)
    page, follow = (reverse(f"reviews:{name}", args=[dossier.reference]) for name in ("dossier", "follow"))
    assert "Suivre ce dossier</button>" in browser.get(page).content.decode()
    assert "Vous suivez ce dossier." in browser.post(follow, follow=True).content.decode()
    assert held() == {(dossier.reference, Desk.ANS, "ans")}
    assert "Ne plus suivre ce dossier</button>" in browser.get(page).content.decode()
    colleague = UserFactory(ans=True, username="autre")
    assign([dossier.reference], to=colleague, by=colleague)
    browser.post(follow, {"fin": "1"})
    assert held() == {(dossier.reference, Desk.ANS, "autre")}, "only what is one's own"
    assert f"à la place de {colleague}" in browser.get(page).content.decode()
    browser.post(follow)
    browser.post(follow, {"fin": "1"})
    assert held() == set()
    assert not Letter.objects.exists(), "nobody is told of what they do themselves"


def test_a_whole_view_is_given(ans, signed_in):
    inside = {ApplicationFactory(state=State.ACCEPTED, signed_copy_at=SIGNED_AT).reference for _ in range(3)}
    ApplicationFactory(state=State.PAID)
    signed_in(ans).post(ASSIGN, {"query": "etat=accepted", "scope": "vue", "agent": ans.pk})
    assert {reference for reference, _desk, _agent in held()} == inside


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"scope": "coches"}, "Cochez au moins un dossier"),
        ({"scope": "vue", "query": "etat=paid"}, "Cochez au moins un dossier"),
        ({"scope": "coches", "dossiers": ["X"], "agent": "0"}, "Choisissez un agent de la liste."),
        ({"scope": "coches", "dossiers": ["X"]}, "Choisissez qui suit ces dossiers."),
        ({"agent": "personne"}, "Dites quels dossiers attribuer."),
    ],
)
def test_what_is_wrong_is_said_and_nothing_changes(asked, said, ans, signed_in):
    ApplicationFactory(state=State.ACCEPTED, signed_copy_at=SIGNED_AT)
    answer = signed_in(ans).post(ASSIGN, asked, follow=True)
    assert said in answer.content.decode()
    assert held() == set()


def test_a_view_that_is_too_long_is_not_given_in_part(ans, signed_in, monkeypatch):
    monkeypatch.setattr("reviews.forms.MOST_AT_ONCE", 2)
    for _rank in range(3):
        ApplicationFactory(state=State.ACCEPTED, signed_copy_at=SIGNED_AT)
    answer = signed_in(ans).post(ASSIGN, {"scope": "vue", "agent": ans.pk}, follow=True)
    assert "plus de 2 dossiers" in answer.content.decode()
    assert held() == set()


def test_the_most_at_once_costs_as_many_statements_as_one(ans, django_assert_max_num_queries):
    references = [ApplicationFactory().reference for _ in range(12)]
    with django_assert_max_num_queries(14):
        assert assign(references, to=ans, by=ans) == 12


@pytest.mark.django_db(transaction=True)
def test_two_agents_who_give_the_same_dossiers_at_once_leave_one_agent_each(ans):
    references = [ApplicationFactory().reference for _ in range(4)]
    agents = [ans, UserFactory(ans=True)]
    ways = zip(agents, (references, references[::-1]), strict=True)
    at_once(*[lambda to=to, order=order: assignments.assign(order, to=to, by=to) for to, order in ways])
    assert Assignment.objects.count() == 4
    assert len({agent for _reference, _desk, agent in held()}) == 1
