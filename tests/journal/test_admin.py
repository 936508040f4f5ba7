import pytest
from django.urls import reverse

from ecare.journal.actions import record
from ecare.journal.models import Entry
from tests.applications.pages import text_of
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
    with django_assert_num_queries(8):
        client.get(reverse("admin:journal_entry_changelist"))


@pytest.fixture
def desk(signed_in):
    return signed_in(UserFactory(administrator=True))


def verification(desk, subject):
    return desk.get(reverse("admin:journal_entry_verify"), {"objet": subject})


def test_a_whole_chain_verifies_and_an_altered_one_does_not(desk):
    for verb in ("start", "submit"):
        record("application:VEHCXTRMWL", verb)
    whole = text_of(verification(desk, "application:VEHCXTRMWL"))
    assert "se vérifie :</strong> 2 écritures, aucune modifiée ni retirée" in whole
    Entry.objects.filter(sequence=1).update(message="autre")
    page = verification(desk, "application:VEHCXTRMWL").text
    assert "ne se vérifie pas" in page
    assert "application:VEHCXTRMWL #1" in page


def test_a_chain_that_lost_its_last_entry_does_not_verify(desk):
    for verb in ("start", "submit"):
        record("application:VEHCXTRMWL", verb)
    Entry.objects.filter(sequence=2)._raw_delete("default")
    assert "ends early" in verification(desk, "application:VEHCXTRMWL").text


def test_an_unknown_subject_is_not_found_and_none_asks(desk):
    assert verification(desk, "application:AAAAAAAAAA").status_code == 404
    assert verification(desk, "").status_code == 200


@pytest.mark.parametrize(
    ("query", "found"),
    [("objet=application", ["submit"]), ("objet=domain", ["publish"]), ("auteur=ecare", ["publish"]),
     ("auteur=personne", ["submit"]), ("verb__exact=publish", ["publish"]), ("q=vehcx", ["submit"])],
)  # fmt: skip
def test_the_journal_is_filtered(desk, query, found):
    record("application:VEHCXTRMWL", "submit", actor=("user:1", "Camille Martin (Référent)"))
    record("domain:domaine-1", "publish")
    page = desk.get(f"{reverse('admin:journal_entry_changelist')}?{query}")
    assert [entry.verb for entry in page.context["cl"].queryset] == found
