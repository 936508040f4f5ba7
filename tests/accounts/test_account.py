"""« Votre compte »."""

import pytest

from tests.factories import EstablishmentFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_a_referent_reads_their_facts_and_their_establishments(signed_in):
    establishment = EstablishmentFactory(as_ght=True)
    user = UserFactory(establishment=establishment)
    page = signed_in(user).get("/compte/").content.decode()
    for fact in (user.username, user.email, user.last_name, "Madame", "+33 4 67 33 67 33", establishment.ght.code,
                 establishment.ght.name, establishment.finess, "Groupement Hospitalier de Territoire",
                 "Modifier le mot de passe", "ans-support-convergence@esante.gouv.fr"):  # fmt: skip
        assert fact in page


def test_an_agent_has_no_establishment(signed_in):
    assert "Votre établissement" not in signed_in(UserFactory(ans=True)).get("/compte/").content.decode()


def test_the_account_is_closed_to_strangers(client):
    assert client.get("/compte/")["Location"] == "/connexion/?next=/compte/"
