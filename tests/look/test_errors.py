"""When something fails, the page says what happened, what to do, and whom to ask."""

import pytest
from django.conf import settings
from django.test import Client

from ecare import views
from tests.factories import UserFactory

pytestmark = pytest.mark.urls("tests.look.gallery")

PAGES = [
    ("/nulle-part/", 404, "Page introuvable"),
    ("/refuse/", 403, "Cette action ne vous est pas ouverte"),
    ("/suspect/", 400, "Cette demande n’a pas été comprise"),
    ("/casse/", 500, "Une erreur inattendue s’est produite"),
    ("/conflit/", 409, "Ce dossier a déjà été validé par Camille Martin."),
    ("/trop/", 429, "Trop d’essais en peu de temps"),
    ("/absente/", 503, "Le service est momentanément indisponible"),
]


@pytest.mark.parametrize(("address", "status", "sentence"), PAGES)
def test_an_error_page_says_what_to_do_and_whom_to_ask(client, address, status, sentence):
    client.raise_request_exception = False
    answer = client.get(address)
    assert answer.status_code == status
    page = answer.content.decode()
    assert sentence in page
    assert f"mailto:{settings.SUPPORT_ADDRESS}" in page
    assert "canary-of-the-cause" not in page
    assert "Content-Security-Policy" in answer


def test_a_conflict_leads_back_to_the_page(client):
    assert 'href="/verification/ABC/"' in client.get("/conflit/").content.decode()


@pytest.mark.parametrize(("trait", "dossier"), [({}, "/candidatures/ABC/"), ({"ans": True}, "/verification/ABC/")])
def test_a_conflict_on_a_dossier_leads_back_to_it(signed_in, trait, dossier):
    assert f'href="{dossier}"' in signed_in(UserFactory(**trait)).get("/conflit/ABC/").content.decode()


def test_only_a_referent_is_told_until_when_they_may_send(signed_in):
    told = "Jusqu’à quand puis-je transmettre"
    assert told in signed_in(UserFactory()).get("/conflit/").text
    assert told not in signed_in(UserFactory(ans=True)).get("/conflit/").text


def test_an_error_keeps_the_menu_of_a_signed_in_person(signed_in):
    assert "Se déconnecter" in signed_in(UserFactory()).get("/nulle-part/").content.decode()


def test_the_page_of_a_failure_needs_no_database(rf):
    # No database is allowed in this test: one query would fail it.
    request = rf.get("/")
    answer = views.server_error(request)
    assert answer.status_code == 500
    assert settings.SUPPORT_ADDRESS in answer.content.decode()


def test_an_address_that_only_takes_what_a_form_sends_says_so(signed_in):
    client = signed_in(UserFactory())
    answer = client.get("/compte/sessions/fermer/")
    assert answer.status_code == 405 and answer["Allow"] == "POST"
    assert "elle ne s’ouvre pas directement" in answer.text and "Se déconnecter" in answer.text
    script = client.get("/compte/sessions/fermer/", headers={"Accept": "application/json"})
    assert script.status_code == 405 and not script.content


def test_a_form_without_its_token_says_to_reload():
    answer = Client(enforce_csrf_checks=True).post("/galerie/", {})
    assert answer.status_code == 403
    page = answer.content.decode()
    assert "Ce formulaire a expiré" in page
    assert settings.SUPPORT_ADDRESS in page
