"""How many accounts one address may ask for in an hour."""

import pytest
from django.urls import reverse

from accounts.models import User
from tests.accounts.steps import fill_establishment, fill_person
from tests.factories import EstablishmentFactory, UserFactory

pytestmark = pytest.mark.django_db
RECAP = reverse("accounts:register_recap")


def test_past_twenty_tries_in_an_hour_the_recap_says_so_and_keeps_everything_typed(client, time_machine):
    time_machine.move_to("2026-03-02 10:00Z")
    establishment = EstablishmentFactory()
    fill_person(client)
    fill_establishment(client, establishment)
    other = UserFactory(username="jean.sante")  # since step 1: each try is refused, and counts
    assert {client.post(RECAP).status_code for _try in range(20)} == {302}
    refused = client.post(RECAP)
    assert refused.status_code == 429
    page = refused.content.decode()
    for said in ("Trop d’essais en peu de temps", "Rien n’a été enregistré", "Patientez quelques minutes"):
        assert said in page
    other.delete()
    assert client.post(RECAP).status_code == 429  # free or not: it is not even tried
    assert not User.objects.exists()

    kept = client.get(RECAP).content.decode()
    for typed in ("jean.sante@exemple.fr", "Santé", "+33 6 12 34 56 78", establishment.finess):
        assert typed in kept
    time_machine.move_to("2026-03-02 11:01Z")
    assert client.post(RECAP)["Location"] == reverse("accounts:registered")
    assert User.objects.get().email == "jean.sante@exemple.fr"
