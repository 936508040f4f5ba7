"""The form in real browser tabs: saved as it is typed, loud when it is not, and never one tab over another."""

import re

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from applications import actions
from applications.models import Application, values_of
from applications.states import State
from tests.browsing import faults, is_too_wide
from tests.factories import ApplicationFactory, FormFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SCREENS = [{"width": 1280, "height": 900}, {"width": 390, "height": 844}]
QUESTIONS = [
    {"key": "name", "label": "Titulaire du compte"},
    {"key": "iban", "kind": "iban", "label": "IBAN"},
    {"key": "met", "kind": "choice", "label": "Prérequis atteint", "choices": [["oui", "Oui"], ["non", "Non"]]},
    {"key": "why", "kind": "long_text", "label": "Pourquoi", "shown_if": {"met": ["non"]}},
    {"key": "engaged", "kind": "checkbox", "label": "Engagement", "checkbox_label": "Je m’engage"},
]
SAVED = re.compile(r"Enregistré à \d\d?\u00a0h\u00a0\d\d")


@pytest.fixture
def dossier():
    form = FormFactory(questions=QUESTIONS)
    return ApplicationFactory(domain=form.domain, candidature_form=form)


@pytest.fixture
def tab(context, live_server, signed_in, dossier):
    """Opens the form in one more tab of one browser; fails on what a script or the content policy complains of."""
    client, complaints = signed_in(dossier.referent), []
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])

    def open_tab():
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
        page.on("dialog", lambda dialog: dialog.accept())
        page.goto(live_server.url + reverse("applications:detail", args=[dossier.reference]))
        return page

    yield open_tab
    assert complaints == []


def values(dossier):
    return values_of(Application.objects.get(pk=dossier.pk))


def question(page, key):
    return page.locator(f"#question-{key}")


def said(page, key):
    return question(page, key).locator("[data-saving]")


def fill(page, key, text):
    """Typed, then left."""
    page.locator(f"[name={key}]").fill(text)
    page.locator(f"[name={key}]").blur()


@pytest.mark.parametrize("screen", SCREENS, ids=lambda s: str(s["width"]))
def test_each_answer_is_saved_as_it_is_typed(tab, dossier, screen):
    page = tab()
    page.set_viewport_size(screen)
    page.locator("[name=name]").press_sequentially("CH de la Ville")
    expect(said(page, "name")).to_have_text(SAVED)
    expect(page.locator(".ecare-side")).to_contain_text("1/4 questions obligatoires répondues")
    fill(page, "iban", "FR76 3000 6000 0112 3456 7890 189")
    expect(question(page, "iban")).to_contain_text("Banque : CREDIT AGRICOLE SA")
    page.get_by_text("Non", exact=True).click()
    expect(said(page, "met")).to_have_text(SAVED)
    expect(page.locator(".ecare-side")).to_contain_text("3/5 questions obligatoires répondues")
    page.get_by_label("Pourquoi").fill("Une raison")
    page.get_by_text("Je m’engage").click()
    expect(page.locator(".ecare-side")).to_contain_text("100")
    assert values(dossier) == {
        "name": "CH de la Ville",
        "iban": "FR7630006000011234567890189",
        "met": "non",
        "why": "Une raison",
        "engaged": True,
    }
    assert faults(page) == []
    assert not is_too_wide(page)
    page.get_by_role("link", name="Retour au tableau de bord").click()
    expect(page).to_have_url(re.compile("/tableau-de-bord/$"))


def test_a_wrong_answer_is_told_once_it_is_typed_and_stays(tab, dossier):
    page = tab()
    page.locator("[name=iban]").press_sequentially("FR77")
    page.wait_for_timeout(1500)
    expect(question(page, "iban").locator(".fr-message--error")).to_have_count(0)
    page.locator("[name=iban]").press_sequentially(" 3000")
    page.locator("[name=iban]").blur()
    expect(question(page, "iban").locator(".fr-message--error")).to_contain_text(
        "compte 8 caractères : un IBAN français en compte 27"
    )
    expect(said(page, "iban")).to_have_text("Non enregistré : corrigez cette réponse.")
    expect(page.locator("[name=iban]")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("[name=iban]")).to_have_value("FR77 3000")
    assert faults(page) == []
    assert "iban" not in values(dossier)
    fill(page, "iban", "FR76 3000 6000 0112 3456 7890 189")
    expect(said(page, "iban")).to_have_text(SAVED)
    expect(question(page, "iban").locator(".fr-message--error")).to_have_count(0)


@pytest.mark.parametrize("screen", SCREENS, ids=lambda s: str(s["width"]))
def test_the_second_tab_is_shown_both_values(tab, dossier, screen):
    one, two = tab(), tab()
    two.set_viewport_size(screen)
    fill(one, "name", "CH de la Ville")
    expect(said(one, "name")).to_have_text(SAVED)
    fill(two, "name", "CH du Port")
    expect(question(two, "name")).to_contain_text("Cette réponse a été modifiée ailleurs")
    expect(question(two, "name")).to_contain_text("« CH de la Ville »")
    expect(two.locator("[name=name]")).to_have_value("CH du Port")
    assert values(dossier)["name"] == "CH de la Ville"
    assert faults(two) == []
    assert not is_too_wide(two)
    question(two, "name").get_by_role("button", name="Garder la mienne").click()
    expect(said(two, "name")).to_have_text(SAVED)
    assert values(dossier)["name"] == "CH du Port"
    fill(one, "name", "CH de la Montagne")
    question(one, "name").get_by_role("button", name="Prendre l’autre").click()
    expect(one.locator("[name=name]")).to_have_value("CH du Port")
    fill(one, "name", "CH de la Vallée")
    expect(said(one, "name")).to_have_text(SAVED)
    assert values(dossier)["name"] == "CH de la Vallée"


def test_a_tab_left_open_puts_no_old_value_back(tab, dossier):
    one, two = tab(), tab()
    fill(one, "name", "CH de la Ville")
    expect(said(one, "name")).to_have_text(SAVED)
    fill(two, "iban", "FR76 3000 6000 0112 3456 7890 189")
    two.get_by_role("button", name="Enregistrer comme brouillon").last.click()
    expect(two.get_by_text("Votre brouillon est enregistré")).to_be_visible()
    expect(two.locator("[name=name]")).to_have_value("CH de la Ville")
    assert values(dossier)["name"] == "CH de la Ville"


def test_without_script_the_choice_is_a_button_of_the_form(browser, live_server, signed_in, dossier):
    client = signed_in(dossier.referent)
    with browser.new_context(java_script_enabled=False) as context:
        context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
        page = context.new_page()
        page.goto(live_server.url + reverse("applications:detail", args=[dossier.reference]))
        actions.save_answers(dossier, by=dossier.referent, values={"name": "CH de la Ville"}, at=timezone.now())
        page.locator("[name=name]").fill("CH du Port")
        page.get_by_label("IBAN").fill("FR76 3000 6000 0112 3456 7890 189")
        page.get_by_role("button", name="Suivant").click()
        expect(question(page, "name")).to_contain_text("« CH de la Ville »")
        expect(page.locator("[name=name]")).to_have_value("CH du Port")
        page.get_by_role("button", name="Prendre l’autre").click()
        expect(page.locator("[name=name]")).to_have_value("CH de la Ville")
        assert values(dossier)["iban"] == "FR7630006000011234567890189"


def test_a_service_that_does_not_answer_is_told_loudly_and_tried_again(tab, dossier, context):
    page = tab()
    context.set_offline(True)
    fill(page, "name", "CH de la Ville")
    alarm = page.locator(".ecare-alarm")
    expect(alarm).to_contain_text("le service ne répond pas")
    expect(said(page, "name")).to_contain_text("Non enregistré.")
    expect(question(page, "name").get_by_role("button", name="Réessayer")).to_be_visible()
    assert "name" not in values(dossier)
    context.set_offline(False)
    expect(said(page, "name")).to_have_text(SAVED)
    expect(alarm).to_be_hidden()
    expect(page.get_by_text("Toutes vos réponses sont enregistrées.")).to_have_count(1)
    assert values(dossier)["name"] == "CH de la Ville"


def test_a_step_sent_from_another_tab_says_so(tab, dossier):
    page = tab()
    Application.objects.filter(pk=dossier.pk).update(state=State.SUBMITTED, candidature_submitted_at=timezone.now())
    fill(page, "name", "Trop tard")
    expect(page.locator(".ecare-alarm")).to_contain_text("Ce formulaire n’est plus modifiable.")
    expect(page.locator("[name=name]")).to_have_value("Trop tard")
    assert faults(page) == []


# --- what is pasted, and what follows the page ---------------------------------------------------------------------
def test_a_text_that_is_too_long_is_said_and_never_cut(tab, dossier):
    page, pasted = tab(), "é" * 230
    fill(page, "name", pasted)
    expect(question(page, "name")).to_contain_text("200 caractères au plus, il en compte 230. Raccourcissez-le.")
    expect(page.locator("[name=name]")).to_have_value(pasted)
    assert "name" not in values(dossier)


def test_the_card_of_what_remains_follows_the_page(tab, dossier):
    page = tab()
    page.set_viewport_size({"width": 1280, "height": 600})
    card = page.locator(".ecare-side").get_by_text("questions obligatoires répondues")
    expect(card).not_to_be_in_viewport()
    page.get_by_role("button", name="Suivant", exact=True).scroll_into_view_if_needed()
    expect(page.get_by_role("heading", level=1)).not_to_be_in_viewport()
    expect(card).to_be_in_viewport()
