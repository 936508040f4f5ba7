import pytest
from django.urls import reverse

from ecare.journal.actions import record
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def test_an_administrator_reads_the_journal(signed_in):
    entry = record("application:VEHCXTRMWL", "submit", actor=("user:1", "Camille Martin (Référent)"))
    client = signed_in(UserFactory(administrator=True))
    assert "Camille Martin" in client.get(reverse("admin:journal_entry_changelist")).text
    change = reverse("admin:journal_entry_change", args=[entry.pk])
    assert client.get(change).status_code == 200
    assert client.post(change, {"verb": "reject"}).status_code == 403
    assert client.post(reverse("admin:journal_entry_delete", args=[entry.pk])).status_code == 403


def test_a_referent_does_not(signed_in):
    response = signed_in(UserFactory()).get(reverse("admin:journal_entry_changelist"))
    assert response.status_code in (302, 403)


@pytest.mark.parametrize("count", [1, 3])
def test_the_journal_costs_the_same_however_long(signed_in, count, django_assert_num_queries):
    for _rank in range(count):
        record("application:VEHCXTRMWL", "submit")
    client = signed_in(UserFactory(administrator=True))
    with django_assert_num_queries(9):
        client.get(reverse("admin:journal_entry_changelist"))
