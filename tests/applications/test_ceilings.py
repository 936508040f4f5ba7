"""What a domain would pay: brackets, floor, groups, private entities, years; payment and commitment."""

import pytest

from applications import money
from applications.models import Bracket, Domain
from applications.money import Basis
from establishments.models import Activity
from tests.factories import DomainFactory, EstablishmentFactory, GhtFactory, LegalEntityFactory, SiteFactory

pytestmark = pytest.mark.django_db

SCALE = [(0, 9_999, 500_000), (10_000, 49_999, 2_000_000), (50_000, None, 9_000_000)]


def with_scale(kind="public", **fields):
    domain = DomainFactory(**fields)
    for days_from, days_until, ceiling in SCALE:
        Bracket.objects.create(domain=domain, kind=kind, days_from=days_from, days_until=days_until, ceiling=ceiling)
    return domain


def busy(entity, days, year=2023):
    Activity.objects.create(legal_entity=entity, year=year, days=days)
    return entity


def group(*days, **fields):
    """A group of as many members; None: the directory knows no activity."""
    members = [LegalEntityFactory() for _ in days]
    for member, known in zip(members, days, strict=True):
        if known is not None:
            busy(member, known)
    return EstablishmentFactory(as_ght=True, ght=GhtFactory(support=members[0], members=members[1:]), **fields)


@pytest.mark.parametrize(
    ("days", "cents", "basis"),
    [
        (0, 700_000, Basis.FLOOR),
        (9_999, 700_000, Basis.FLOOR),
        (10_000, 2_000_000, Basis.SCALE),
        (49_999, 2_000_000, Basis.SCALE),
        (50_000, 9_000_000, Basis.SCALE),
        (2_000_000, 9_000_000, Basis.SCALE),
    ],
)
def test_a_bracket_holds_its_first_and_its_last_day_and_the_floor_holds_all(days, cents, basis):
    establishment = EstablishmentFactory()
    busy(establishment.legal_entity, days)
    found = money.ceiling(with_scale(), establishment)
    assert (found.cents, found.basis, found.days, found.year) == (cents, basis, days, 2023)


def test_without_known_activity_the_floor_is_what_remains_and_it_is_said():
    found = money.ceiling(with_scale(floor=800_000), EstablishmentFactory())
    assert (found.cents, found.basis, found.days, found.bracket) == (800_000, Basis.NO_ACTIVITY, None, None)


def test_without_a_scale_for_the_kind_the_floor_is_what_remains_and_it_is_said():
    establishment = EstablishmentFactory()
    busy(establishment.legal_entity, 20_000)
    found = money.ceiling(with_scale(kind="private"), establishment)
    assert (found.cents, found.basis, found.days) == (700_000, Basis.NO_SCALE, 20_000)


def test_the_scale_of_another_domain_or_kind_counts_for_nothing():
    establishment = EstablishmentFactory()
    busy(establishment.legal_entity, 20_000)
    mine, other = with_scale(), with_scale()
    Bracket.objects.filter(domain=other).update(ceiling=1_111_111)
    Bracket.objects.create(domain=mine, kind="ght", days_from=0, ceiling=3_333_333)
    assert money.ceiling(mine, establishment).cents == 2_000_000


def test_the_activity_of_a_group_is_the_sum_of_its_members():
    establishment = group(30_000, 15_000, 5_000)
    busy(LegalEntityFactory(), 900_000)  # a stranger
    found = money.ceiling(with_scale(kind="ght"), establishment)
    assert (found.days, found.cents, found.unknown) == (50_000, 9_000_000, [])
    assert sorted(share.days for share in found.shares) == [5_000, 15_000, 30_000]


def test_a_member_whose_activity_is_unknown_is_named_and_left_out():
    establishment = group(30_000, None)
    found = money.ceiling(with_scale(kind="ght"), establishment)
    assert (found.days, found.cents) == (30_000, 2_000_000)
    assert [entity.ghts.get() for entity in found.unknown] == [establishment.ght]


def test_a_closed_member_counts_no_more():
    establishment = group(30_000, 25_000)
    gone = establishment.ght.members.exclude(pk=establishment.legal_entity_id).get()
    gone.closed_on = "2024-01-01"
    gone.save()
    assert money.ceiling(with_scale(kind="ght"), establishment).days == 30_000


def test_the_activity_of_a_private_entity_covers_all_its_sites():
    establishment = EstablishmentFactory(private=True)
    SiteFactory.create_batch(3, legal_entity=establishment.legal_entity)
    busy(establishment.legal_entity, 12_000)
    found = money.ceiling(with_scale(kind="private"), establishment)
    assert (found.days, found.cents, len(found.shares)) == (12_000, 2_000_000, 1)


def test_the_last_year_counts_unless_the_domain_names_one():
    establishment = EstablishmentFactory()
    busy(establishment.legal_entity, 60_000, year=2022)
    busy(establishment.legal_entity, 20_000, year=2023)
    assert money.ceiling(with_scale(), establishment).days == 20_000
    named = money.ceiling(with_scale(activity_year=2022), establishment)
    assert (named.year, named.days, named.cents) == (2022, 60_000, 9_000_000)
    assert money.ceiling(with_scale(activity_year=2021), establishment).basis == Basis.NO_ACTIVITY


@pytest.mark.parametrize("rows", [1, 3])
def test_the_number_of_queries_does_not_grow(rows, django_assert_num_queries):
    establishment = group(*[10_000] * rows)
    domains = [with_scale(kind="ght") for _ in range(rows)]
    with django_assert_num_queries(3):
        found = money.ceilings(domains, establishment)
        assert [found[domain.pk].cents for domain in domains] == [2_000_000] * rows


@pytest.mark.parametrize(
    ("rule", "accepted", "paid"),
    [
        ("accepted_expenses", 0, 0),
        ("accepted_expenses", 1, 700_000),
        ("accepted_expenses", 700_001, 700_001),
        ("accepted_expenses", 2_000_000, 2_000_000),
        ("accepted_expenses", 2_000_001, 2_000_000),
        ("lump_sum", 0, 2_000_000),
        ("lump_sum", 5_000_000, 2_000_000),
    ],
)
def test_what_is_paid_stands_between_the_floor_and_the_ceiling(rule, accepted, paid):
    assert money.payment(Domain(payment=rule), ceiling=2_000_000, accepted=accepted) == paid


@pytest.mark.parametrize(
    ("rule", "requested", "committed"),
    [
        ("requested", None, 2_000_000),
        ("requested", 1_500_000, 1_500_000),
        ("requested", 2_500_000, 2_000_000),
        ("ceiling", 1_500_000, 2_000_000),
    ],
)
def test_a_commitment_is_the_ceiling_or_less_if_less_was_asked(rule, requested, committed):
    assert money.commitment(Domain(commitment=rule), ceiling=2_000_000, requested=requested) == committed
