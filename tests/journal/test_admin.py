from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from ecare.journal.actions import record
from ecare.journal.anchors import export_heads
from ecare.journal.files import folder
from ecare.journal.models import Entry
from tests.applications.pages import text_of
from tests.factories import UserFactory
from tests.tampering import unguarded

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
    with unguarded():
        Entry.objects.filter(sequence=1).update(message="autre")
    page = verification(desk, "application:VEHCXTRMWL").text
    assert "ne se vérifie pas" in page
    assert "application:VEHCXTRMWL #1" in page


def test_a_chain_that_lost_its_last_entry_does_not_verify(desk):
    for verb in ("start", "submit"):
        record("application:VEHCXTRMWL", verb)
    with unguarded():
        Entry.objects.filter(sequence=2).delete()
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


@pytest.mark.parametrize("days", [1, 3])
def test_the_anchors_are_listed_and_downloaded_as_they_were_signed(desk, days, django_assert_num_queries):
    record("application:VEHCXTRMWL", "submit")
    for day in range(days):
        anchor = export_heads(timezone.now() + timedelta(days=day))
    with django_assert_num_queries(8):
        page = desk.get(reverse("admin:journal_anchor_changelist"))
    assert anchor.digest in page.text
    shown = desk.get(reverse("admin:journal_anchor_change", args=[anchor.pk])).text
    assert anchor.signature in shown
    file = desk.get(reverse("admin:journal_anchor_download", args=[anchor.pk]))
    assert file.content == (folder() / f"{anchor}.json").read_bytes()
    assert file["Content-Disposition"] == f'attachment; filename="{anchor}.json"'
