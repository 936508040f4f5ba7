"""In a real browser: no accessibility fault, nothing against the content policy, nothing wider than the screen.

Waiting is done with `expect`: the content policy forbids the evaluation that `wait_for_function` polls with.
"""

import re

import pytest
from django.contrib import admin
from django.contrib.auth import SESSION_KEY
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import Terms
from tests.browsing import faults, is_too_wide
from tests.factories import DomainFactory, UserFactory

pytestmark = [pytest.mark.browser, pytest.mark.urls("tests.look.gallery"), pytest.mark.django_db(transaction=True)]

SCREENS = [{"width": 1280, "height": 900}, {"width": 390, "height": 844}]
PAGES = ["/", "/aide/", "/mentions-legales/", "/plan-du-site/", "/galerie/", "/dit/", "/conflit/", "/casse/"]
PAGES += ["/nulle-part/", "/refuse/", "/suspect/", "/trop/", "/inscription/controle/"]  # 404, 403, 400, 429, 405
PAGES += ["/donnees-personnelles/", "/accessibilite/", "/cgu/", "/connexion/", "/inscription/"]
OWN_PAGES = ["/tableau-de-bord/", "/compte/", "/compte/courriers/", "/compte/mot-de-passe/"]


@pytest.fixture
def site(page, live_server):
    """Opens an address of the site, and fails on what the browser complains of."""
    complaints = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda said: (
            complaints.append(said.text) if "Content Security" in said.text or "refused" in said.text.lower() else None
        ),
    )

    def open_page(address):
        page.goto(live_server.url + address)
        expect(page.locator("html")).to_have_attribute("data-fr-theme", re.compile("light|dark"))
        return page

    yield open_page
    assert complaints == []


@pytest.fixture(autouse=True)
def terms():
    Terms.objects.create(version="1.0", text="# Objet\n\nLes règles.", published_at=timezone.now())


@pytest.fixture
def enter(page, live_server, signed_in):
    """Signs somebody in."""

    def as_person(person):
        session = signed_in(person).cookies["sessionid"].value
        page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])

    return as_person


@pytest.mark.parametrize("screen", SCREENS, ids=lambda s: str(s["width"]))
def test_the_pages_of_a_person_are_accessible_and_fit_the_screen(page, site, screen, enter):
    DomainFactory()
    enter(UserFactory())
    page.set_viewport_size(screen)
    for address in OWN_PAGES:
        site(address)
        assert page.url.endswith(address)
        assert not is_too_wide(page), address
        assert faults(page) == [], address


@pytest.mark.parametrize("screen", SCREENS, ids=lambda s: str(s["width"]))
def test_pages_are_accessible_and_fit_the_screen(page, site, screen):
    DomainFactory(is_trial=True)
    page.set_viewport_size(screen)
    for address in PAGES:
        site(address)
        assert not is_too_wide(page), address
        assert faults(page) == [], address


def test_a_page_enlarged_four_times_keeps_its_menu_and_its_steps_on_the_screen(page, site):
    page.set_viewport_size({"width": 320, "height": 640})
    for address in PAGES:
        site(address)
        assert not is_too_wide(page), address
        menu = page.get_by_role("button", name="Menu").bounding_box()
        assert menu["x"] + menu["width"] <= 320, address


def test_a_form_in_error_is_accessible_and_its_summary_is_read_first(page, site):
    site("/galerie/")
    page.get_by_role("button", name="Suivant").click()
    summary = page.locator("[data-error-summary]")
    expect(summary).to_be_focused()
    assert faults(page) == []
    summary.get_by_role("link", name="Prérequis atteint").click()
    assert page.evaluate("location.hash") == "#id_met_0"


def test_the_dark_theme_is_readable(page, site):
    site("/galerie/")
    page.get_by_role("button", name="Paramètres d’affichage").click()
    page.get_by_text("Thème sombre").click()
    expect(page.locator("html")).to_have_attribute("data-fr-theme", "dark")
    page.locator("#affichage").get_by_role("button", name="Fermer").click()
    expect(page.locator("#affichage")).to_be_hidden()
    assert faults(page) == []


def test_a_dialog_opens_from_its_link_and_closes_with_escape(page, site):
    site("/galerie/")
    page.get_by_role("link", name="Ouvrir").click()
    dialog = page.locator("#fenetre")
    dialog.get_by_role("heading", name="Candidater à un domaine").wait_for(state="visible")
    assert page.url.endswith("/galerie/")
    page.wait_for_timeout(500)  # the dialog fades in
    assert faults(page) == []
    page.keyboard.press("Escape")
    dialog.get_by_role("heading").wait_for(state="hidden")


def test_the_password_can_be_shown(page, site):
    site("/galerie/")
    password = page.get_by_label("Mot de passe", exact=False).and_(page.locator(".fr-password__input"))
    assert password.get_attribute("type") == "password"
    page.locator("label[for=id_password_show]").click()
    expect(page.locator("#id_password")).to_have_attribute("type", "text")


def test_the_menu_opens_on_a_small_screen(page, site):
    page.set_viewport_size(SCREENS[1])
    site("/")
    page.get_by_role("button", name="Menu").click()
    menu = page.locator("#menu")
    menu.get_by_role("link", name="Inscription").wait_for(state="visible")
    menu.get_by_role("link", name="Aide").click()
    expect(page).to_have_url(re.compile("/aide/$"))


def test_the_length_of_a_table_is_kept_with_its_sort(page, site):
    site("/galerie/?sort=-reference")
    page.get_by_label("Afficher", exact=True).select_option("25")
    expect(page).to_have_url(re.compile(r"sort=-reference.*per_page=25"))
    expect(page.locator("tbody tr")).to_have_count(25)
    page.get_by_role("link", name="Page suivante").click()
    expect(page.locator("tbody tr")).to_have_count(5)


def test_everything_is_there_without_script(browser, live_server):
    context = browser.new_context(java_script_enabled=False, viewport=SCREENS[1])
    page = context.new_page()
    page.goto(live_server.url + "/galerie/")
    for name in ("Connexion", "Inscription", "Aide"):
        assert page.locator("header").get_by_role("link", name=name).is_visible()
    assert page.get_by_role("link", name="Tableau de bord").is_visible()
    assert not page.get_by_text("Paramètres d’affichage").first.is_visible()
    assert not page.locator(".fr-password__checkbox").first.is_visible()
    page.goto(live_server.url)
    for width in (1280, 768, 320):
        page.set_viewport_size({"width": width, "height": 800})
        assert not is_too_wide(page), width
    context.close()


def test_the_skip_link_leads_to_the_content(page, site):
    site("/aide/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Contenu"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "contenu"


def test_the_administration_obeys_the_content_policy(page, site, live_server, signed_in):
    person = UserFactory(administrator=True)
    client = signed_in(person)
    assert client.session[SESSION_KEY] == str(person.pk)
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    page.goto(live_server.url + "/administration/")
    page.get_by_role("heading", name="Atelier").wait_for()
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        for address in (reverse(f"{name}_changelist"), reverse(f"{name}_add")):
            page.goto(live_server.url + address)  # parts of a form lead to the form
            assert page.url.startswith(f"{live_server.url}/administration/applications/") or page.url.endswith(address)
