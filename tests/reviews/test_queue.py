"""The queue: whose dossiers, which ones first, how they are found."""

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from applications.states import AWAITS_ANS, AWAITS_ARS, REVIEWER_LABELS, State
from establishments.models import Establishment
from tests.factories import (
    ApplicationFactory,
    DepartmentFactory,
    EstablishmentFactory,
    GhtFactory,
    LegalEntityFactory,
    RegionFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db

QUEUE = "/verification/"
SIGNED_AT = datetime(2026, 7, 1, tzinfo=UTC)  # the copy of the establishment: the ANS is to countersign


def referent_in(region="76", **fields):
    """A référent whose establishment lies in that region."""
    department = DepartmentFactory(code=region, region=RegionFactory(code=region))
    entity = LegalEntityFactory(department=department, **fields)
    return UserFactory(establishment=EstablishmentFactory(legal_entity=entity))


def rows(answer):
    """The references that a page lists, in order."""
    return [row.record.reference for row in answer.context["table"].paginated_rows]


@pytest.fixture
def ars(signed_in):
    return signed_in(UserFactory(ars=True, regions=[RegionFactory(code="76")]))


@pytest.fixture
def ans(signed_in):
    return signed_in(UserFactory(ans=True))


def test_the_queue_is_at_its_address():
    assert reverse("reviews:queue") == QUEUE


def test_an_anonymous_visitor_is_led_to_the_sign_in(client):
    assert client.get(QUEUE).url == f"{reverse('account_login')}?next={QUEUE}"


@pytest.mark.parametrize("trait", [{}, {"administrator": True}])
def test_a_referent_or_an_administrator_has_no_queue(trait, signed_in):
    ApplicationFactory(state=State.SUBMITTED)
    answer = signed_in(UserFactory(**trait)).get(QUEUE)
    assert answer.status_code == 403


def test_an_ars_agent_sees_the_dossiers_of_their_regions_only(ars):
    mine = ApplicationFactory(state=State.SUBMITTED, referent=referent_in("76"))
    other = ApplicationFactory(state=State.SUBMITTED, referent=referent_in("75"))
    answer = ars.get(QUEUE, {"etat": "tous"})
    assert rows(answer) == [mine.reference]
    assert other.reference not in answer.content.decode()
    assert other.establishment.name not in answer.content.decode()


def test_an_ars_agent_of_two_regions_may_choose_between_them(signed_in):
    agent = UserFactory(ars=True, regions=[RegionFactory(code="76"), RegionFactory(code="75")])
    browser = signed_in(agent)
    here = ApplicationFactory(state=State.SUBMITTED, referent=referent_in("76"))
    there = ApplicationFactory(state=State.SUBMITTED, referent=referent_in("75"))
    assert set(rows(browser.get(QUEUE))) == {here.reference, there.reference}
    assert rows(browser.get(QUEUE, {"region": "75"})) == [there.reference]


def test_a_region_that_is_not_the_agents_finds_nothing_of_it(ars):
    ApplicationFactory(state=State.SUBMITTED, referent=referent_in("75"))
    assert rows(ars.get(QUEUE, {"region": "75", "etat": "tous"})) == []


def test_an_agent_without_region_sees_nothing(signed_in):
    ApplicationFactory(state=State.SUBMITTED)
    answer = signed_in(UserFactory(ars=True)).get(QUEUE, {"etat": "tous"})
    assert rows(answer) == []
    assert "Aucune région ne vous est attribuée" in answer.content.decode()


def test_the_ans_sees_every_region(ans):
    dossiers = [
        ApplicationFactory(state=State.ACCEPTED, signed_copy_at=SIGNED_AT, referent=referent_in(code))
        for code in ("76", "75")
    ]
    assert set(rows(ans.get(QUEUE))) == {dossier.reference for dossier in dossiers}


@pytest.mark.parametrize(("trait", "awaited"), [("ars", AWAITS_ARS), ("ans", AWAITS_ANS)])
def test_the_first_view_is_what_awaits_the_agents_desk(trait, awaited, signed_in):
    signed = {State.ACCEPTED: {"signed_copy_at": SIGNED_AT}}
    by_state = {state: ApplicationFactory(state=state, **signed.get(state, {})).reference for state in State}
    agent = UserFactory(**{trait: True}, regions=[RegionFactory()] if trait == "ars" else [])
    browser = signed_in(agent)
    assert set(rows(browser.get(QUEUE))) == {by_state[state] for state in awaited}
    assert len(rows(browser.get(QUEUE, {"etat": "tous"}))) == len(State)
    assert rows(browser.get(QUEUE, {"etat": "paid"})) == [by_state[State.PAID]]


def test_counts_by_state_follow_the_other_filters(ans):
    here = ApplicationFactory(state=State.ACCEPTED, signed_copy_at=SIGNED_AT)
    ApplicationFactory(state=State.ACCEPTED, signed_copy_at=SIGNED_AT)
    ApplicationFactory(state=State.PAID)

    def tallies(**asked):
        return {tally["label"]: tally["count"] for tally in ans.get(QUEUE, asked).context["filter"].tallies()}

    accepted, paid = REVIEWER_LABELS[State.ACCEPTED], REVIEWER_LABELS[State.PAID]
    assert tallies() == {"À traiter par l’ANS": "2", "Attribués à moi": "0", "Tous": "3", accepted: "2", paid: "1"}
    assert tallies(etat="paid") == tallies()
    assert tallies(domaine=here.domain.slug) == {
        "À traiter par l’ANS": "1",
        "Attribués à moi": "0",
        "Tous": "1",
        accepted: "1",
    }


@pytest.mark.parametrize(
    "words",
    ["HOPITAL SAINT ELOI", "hôpital saint-éloi", "eloi", "Béziers", "340780477", "3407804", "béziers éloi"],
)
def test_an_establishment_is_found_by_name_town_or_finess_accents_and_case_forgiven(words, ars):
    found = ApplicationFactory(
        state=State.SUBMITTED, referent=referent_in("76", name="HÔPITAL SAINT-ÉLOI", town="BÉZIERS", finess="340780477")
    )
    ApplicationFactory(state=State.SUBMITTED, referent=referent_in("76", name="CLINIQUE DU PARC", town="NÎMES"))
    assert rows(ars.get(QUEUE, {"q": words})) == [found.reference]


def test_a_dossier_is_found_by_its_reference_in_small_letters_too(ars):
    found, _other = (ApplicationFactory(state=State.SUBMITTED, referent=referent_in("76")) for _rank in range(2))
    assert rows(ars.get(QUEUE, {"q": found.reference.lower()})) == [found.reference]
    assert rows(ars.get(QUEUE, {"q": found.reference[2:7]})) == [found.reference]


def test_a_ght_is_found_by_its_code(ars):
    ght = GhtFactory(code="OCC-04", support=LegalEntityFactory(department=DepartmentFactory()))
    establishment = EstablishmentFactory(as_ght=True, ght=ght)
    found = ApplicationFactory(state=State.SUBMITTED, referent=UserFactory(establishment=establishment))
    ApplicationFactory(state=State.SUBMITTED, referent=referent_in("76"))
    assert rows(ars.get(QUEUE, {"q": "occ-04"})) == [found.reference]
    assert rows(ars.get(QUEUE, {"type": "ght"})) == [found.reference]


def test_the_queue_narrows_to_a_domain(ans):
    found, _other = (ApplicationFactory(state=State.ACCEPTED, signed_copy_at=SIGNED_AT) for _rank in range(2))
    assert rows(ans.get(QUEUE, {"domaine": found.domain.slug})) == [found.reference]


def test_nonsense_in_the_address_is_no_error(ans):
    ApplicationFactory(state=State.ACCEPTED, signed_copy_at=SIGNED_AT)
    for name in ("etat", "domaine", "region", "type", "sort", "page", "per_page"):
        assert ans.get(QUEUE, {name: "n’importe quoi"}).status_code == 200, name


def test_the_longest_waiting_comes_first_and_columns_sort_both_ways(ans):
    now = timezone.now()
    recent = ApplicationFactory(
        state=State.ACCEPTED,
        signed_copy_at=SIGNED_AT,
        moved_at=now - timedelta(days=1),
        referent=referent_in("76", name="A"),
    )
    old = ApplicationFactory(
        state=State.VALIDATED, moved_at=now - timedelta(days=30), referent=referent_in("75", name="B")
    )
    oldest_first, newest_first = [old.reference, recent.reference], [recent.reference, old.reference]
    assert rows(ans.get(QUEUE)) == oldest_first
    assert rows(ans.get(QUEUE, {"sort": "-moved_at"})) == newest_first
    assert rows(ans.get(QUEUE, {"sort": "establishment"})) == newest_first
    assert rows(ans.get(QUEUE, {"sort": "-establishment"})) == oldest_first
    assert rows(ans.get(QUEUE, {"sort": "state"})) == newest_first
    for column in ("reference", "region", "domain", "step"):
        assert set(rows(ans.get(QUEUE, {"sort": f"-{column}"}))) == {old.reference, recent.reference}


def test_a_row_says_who_what_and_since_when(ans):
    referent = referent_in("76", name="CH DE MILLAU", finess="120780069")
    dossier = ApplicationFactory(
        state=State.UNDER_CONTROL, referent=referent, moved_at=timezone.now() - timedelta(days=12, minutes=1)
    )
    page = ans.get(QUEUE).content.decode()
    said = [
        reverse("reviews:dossier", args=[dossier.reference]),
        "CH DE MILLAU",
        "Entité Juridique Publique hors GHT",
        "FINESS 120780069",
        "Occitanie",
        dossier.domain.name,
        REVIEWER_LABELS[State.UNDER_CONTROL],
    ]
    for words in said:
        assert words in page
    assert "12 jours" in page or "13 jours" in page  # either side of midnight in Paris


def test_a_closed_establishment_is_marked_and_an_open_one_is_not(ans):
    dossier = ApplicationFactory(state=State.ACCEPTED, signed_copy_at=SIGNED_AT)
    assert "Établissement fermé" not in ans.get(QUEUE).content.decode()
    Establishment.objects.filter(pk=dossier.establishment_id).update(closed_on="2026-11-02")
    assert "Établissement fermé" in ans.get(QUEUE).content.decode()


def test_a_name_with_markup_stays_text(ans):
    ApplicationFactory(
        state=State.ACCEPTED, signed_copy_at=SIGNED_AT, referent=referent_in("76", name="<script>alert(1)</script>")
    )
    assert "<script>alert" not in ans.get(QUEUE).content.decode()


@pytest.mark.parametrize("count", [1, 3, 10])
def test_the_queue_asks_the_database_as_much_for_three_dossiers_as_for_one(count, ans, ars, django_assert_num_queries):
    for _rank in range(count):
        ght = EstablishmentFactory(as_ght=True, closed_on="2026-11-02")
        ApplicationFactory(state=State.UNDER_CONTROL, referent=UserFactory(establishment=ght))
        ApplicationFactory(state=State.SUBMITTED, referent=UserFactory(establishment=ght))
    with django_assert_num_queries(18):
        assert len(rows(ans.get(QUEUE))) == count
    with django_assert_num_queries(18):
        assert len(rows(ars.get(QUEUE))) == count
