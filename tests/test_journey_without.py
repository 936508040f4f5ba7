"""A whole candidature without a mouse, and one without script: sign in, apply, answer, deposit, transmit."""

import re

import pytest
from playwright.sync_api import Page, expect

from applications.models import Application
from applications.states import State
from demo.specimens import pdf
from tests.accounts.steps import secret_of
from tests.browsing import LARGE, MIDDLE, NARROW, Keyboard, is_too_wide
from tests.factories import PASSWORD, FormFactory, UserFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

QUESTIONS = [
    {"key": "engaged", "kind": "checkbox", "label": "Engagement", "checkbox_label": "Je m’engage"},
    {"key": "civility", "kind": "civility", "label": "Civilité du DSI"},
    {"key": "name", "label": "Nom du DSI"},
    {"key": "met", "kind": "choice", "label": "Prérequis atteint", "choices": [["oui", "Oui"], ["non", "Non"]]},
    {"key": "why", "kind": "long_text", "label": "Pourquoi", "shown_if": {"met": ["non"]}},
    {"key": "rib", "kind": "evidence", "label": "Fichier RIB", "formats": ["pdf"], "max_megabytes": 1, "max_files": 1},
]
RIB = {"name": "rib.pdf", "mimeType": "application/pdf", "buffer": pdf()}


@pytest.fixture
def referent():
    FormFactory(questions=QUESTIONS)
    return UserFactory()


def assert_sent(page: Page, referent) -> None:
    expect(page).to_have_url(re.compile("/transmise/$"))
    expect(page.get_by_role("main")).to_contain_text(re.compile("[0-9a-f]{64}"))
    dossier = Application.objects.get(referent=referent)
    assert dossier.state == State.SUBMITTED
    answers = dossier.submissions.get().content["answers"]
    assert answers["name"] == "Élan" and answers["why"] == "En cours" and answers["rib"][0]["name"] == "rib.pdf"


# --- by keyboard --------------------------------------------------------------------------------------------------
def test_by_keyboard_alone(page, live_server, referent):
    complaints = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    hand = Keyboard(page)
    page.goto(live_server.url)
    hand.press("Connexion", role="link")
    hand.type("Nom d’utilisateur ou adresse e-mail", referent.username)
    hand.type("Mot de passe", PASSWORD)
    hand.press("Se connecter")
    expect(page.get_by_label("Code transmis")).to_be_visible()
    hand.type("Code transmis", secret_of("code"))
    hand.press("Valider")
    expect(page.get_by_role("heading", name="Tableau de bord")).to_be_visible()
    hand.press("Candidater", role="link")
    expect(page.get_by_role("dialog")).to_be_visible()
    hand.pick("#candidater input[type=radio]")
    hand.press("Valider")
    expect(page).to_have_url(re.compile(r"/candidatures/[A-Z]{10}/"))
    hand.pick("#id_engaged")
    hand.pick("#id_civility_0")
    hand.type("Nom du DSI", "Élan")
    hand.pick("#id_met_0")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#id_met_1")).to_be_checked()
    hand.type("Pourquoi", "En cours")
    hand.attach("#id_rib", RIB)
    expect(page.locator("#espace-rib [data-files]")).to_contain_text("rib.pdf")
    hand.press("Suivant")
    expect(page).to_have_url(re.compile("/recapitulatif/$"))
    hand.press("Transmettre votre candidature")
    assert_sent(page, referent)
    assert complaints == []


# --- without script -----------------------------------------------------------------------------------------------
def test_without_script(browser, live_server, referent):
    with browser.new_context(java_script_enabled=False, base_url=live_server.url) as context:
        page = context.new_page()
        page.goto("/connexion/")
        page.get_by_label("Nom d’utilisateur ou adresse e-mail").fill(referent.username)
        page.locator("#id_password").fill(PASSWORD)
        page.get_by_role("button", name="Se connecter", exact=True).click()
        page.get_by_label("Code transmis").fill(secret_of("code"))
        page.get_by_role("button", name="Valider", exact=True).click()
        for screen in (NARROW, MIDDLE, LARGE):
            page.set_viewport_size(screen)
            assert not is_too_wide(page), screen
        page.get_by_role("link", name="Candidater", exact=True).click()
        page.locator("main label").filter(has_text="Domaine").first.click()
        page.get_by_role("button", name="Valider", exact=True).click()
        page.locator("label[for=id_engaged]").click()
        page.locator("label[for=id_civility_0]").click()
        page.get_by_label("Nom du DSI").fill("Élan")
        page.locator("label[for=id_met_1]").click()
        page.get_by_label("Fichier RIB").set_input_files([RIB])
        page.get_by_role("button", name="Suivant", exact=True).click()
        # The question that depends on another is asked once that one is known.
        page.get_by_role("main").get_by_role("link", name="Pourquoi", exact=True).first.click()
        expect(page.locator("#espace-rib")).to_contain_text("rib.pdf")
        page.get_by_label("Pourquoi").fill("En cours")
        page.get_by_role("button", name="Suivant", exact=True).click()
        page.get_by_role("button", name="Transmettre votre candidature").click()
        assert_sent(page, referent)
