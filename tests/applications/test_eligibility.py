"""Who may apply, and why not."""

import pytest

from applications.eligibility import Reason, group_of, is_eligible, why_not_alone
from tests.factories import DomainFactory, EstablishmentFactory, GhtFactory, LegalEntityFactory, SiteFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("kinds", "closed_on", "reason"),
    [
        (["public"], None, None),
        (["ght", "private"], None, Reason.KIND),
        (["public"], "2024-01-01", Reason.CLOSED),
        ([], "2024-01-01", Reason.CLOSED),
    ],
)
def test_the_domain_names_the_kinds_and_the_directory_who_is_open(kinds, closed_on, reason):
    found = is_eligible(DomainFactory(kinds=kinds), EstablishmentFactory(closed_on=closed_on))
    assert found.reason == reason
    assert bool(found) == (reason is None)


@pytest.mark.parametrize(
    ("fields", "aggregate", "reason"),
    [
        ({"closed_on": "2024-01-01"}, "1102", Reason.CLOSED),
        ({"legal_status": ""}, "1102", Reason.UNKNOWN_STATUS),
        ({"legal_status": "60"}, "4401", Reason.NOT_HOSPITAL),
        ({"legal_status": "60"}, None, Reason.NOT_HOSPITAL),
        ({"legal_status": "60"}, "1102", Reason.UNKNOWN_REGION),
    ],
)
def test_an_entity_that_may_not_apply_is_told_why(fields, aggregate, reason):
    entity = LegalEntityFactory(**fields)
    if aggregate:
        SiteFactory(legal_entity=entity, category_aggregate=aggregate)
    assert why_not_alone(entity, group_of(entity)) == reason


def test_a_closed_site_makes_no_hospital():
    entity = LegalEntityFactory()
    SiteFactory(legal_entity=entity, closed_on="2024-01-01")
    assert why_not_alone(entity, None) == Reason.NOT_HOSPITAL


def test_a_member_of_a_group_and_its_support_apply_through_the_group():
    member = LegalEntityFactory()
    ght = GhtFactory(members=[member])
    for entity in (member, ght.support):
        assert group_of(entity) == ght
        assert why_not_alone(entity, ght) == Reason.MEMBER


def test_neither_a_closed_group_nor_a_private_partner_stands_for_an_entity():
    member, partner = LegalEntityFactory(), LegalEntityFactory(legal_status="73")
    GhtFactory(members=[member], closed_on="2024-01-01")
    GhtFactory(members=[partner])
    assert group_of(member) is None
    assert group_of(partner) is None
