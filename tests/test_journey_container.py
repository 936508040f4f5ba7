"""The encrypted container, in a real browser: its dialog, its two tabs, lost credentials, and no script at all."""

import re

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from evidence.models import Container
from tests.browsing import faults, is_too_wide
from tests.evidence.pool import REASON, SECRET, SPACE, USERNAME, dossier_that_asks, fill_pool, zed, zipped
from tests.factories import UserFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

BOX = "Je confirme avoir mémorisé les identifiants du conteneur sécurisé"
ACTIVATE = "Activer le téléchargement du conteneur ZED"
TAKE = re.compile("^Télécharger le conteneur ZED")
SCREENS = [{"width": 1280, "height": 900}, {"width": 390, "height": 844}]


@pytest.fixture
def application():
    found = dossier_that_asks()
    fill_pool(found, 3)
    return found


@pytest.fixture
def tab(context, live_server, signed_in, application):
    """`tab()`: the form in one more tab of the same browser."""
    client = signed_in(application.referent)
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
    complaints = []

    def open_tab():
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
        page.goto(live_server.url + reverse("applications:detail", args=[application.reference]))
        return page

    yield open_tab
    assert complaints == []


def space(page):
    return page.locator(f"#espace-{SPACE['key']}")


def dialog(page):
    return page.get_by_role("dialog")


def tick(page):
    dialog(page).get_by_text(BOX).click()


@pytest.mark.parametrize("screen", SCREENS, ids=lambda s: str(s["width"]))
def test_the_referent_reads_activates_downloads_and_asks_again(tab, screen):
    page = tab()
    page.set_viewport_size(screen)
    space(page).get_by_role("button", name=TAKE).click()
    expect(dialog(page).get_by_role("heading")).to_have_text("Téléchargement du conteneur ZED sécurisé et chiffré")
    expect(dialog(page)).to_contain_text(f"{USERNAME}-1")
    expect(dialog(page)).to_contain_text(f"{SECRET}-1")
    assert faults(page) == []

    # --- « Annuler » erases nothing, and takes the credentials off the page
    dialog(page).get_by_role("link", name="Annuler").click()
    expect(dialog(page)).to_be_hidden()
    assert SECRET not in page.content()
    space(page).get_by_role("button", name=TAKE).click()
    expect(dialog(page)).to_contain_text(f"{SECRET}-1")

    # --- the box enables the button, which closes the dialog and leaves the link
    button = dialog(page).get_by_role("button", name=ACTIVATE)
    expect(button).to_be_disabled()
    tick(page)
    expect(button).to_be_enabled()
    button.click()
    expect(dialog(page)).to_be_hidden()
    link = space(page).get_by_role("link", name=TAKE)
    expect(link).to_be_focused()
    with page.expect_download() as download:
        link.click()
    assert download.value.path().read_bytes() == zed(1)
    assert SECRET not in page.content()
    assert Container.objects.live().get().password is None
    assert faults(page) == []

    # --- lost: a reason, a fresh one
    space(page).get_by_role("link", name=re.compile("Demander un nouveau conteneur")).click()
    expect(dialog(page).get_by_role("heading")).to_have_text("Demander un nouveau conteneur ZED")
    dialog(page).get_by_role("button", name="Demander un nouveau conteneur").click()
    expect(dialog(page)).to_contain_text("Écrivez le motif de votre demande.")
    assert faults(page) == []
    dialog(page).get_by_label("Motif de la demande").fill(REASON)
    dialog(page).get_by_role("button", name="Demander un nouveau conteneur").click()
    expect(dialog(page)).to_contain_text(f"{SECRET}-2")
    page.keyboard.press("Escape")
    expect(dialog(page)).to_be_hidden()
    expect(space(page).get_by_role("button", name=TAKE)).to_be_focused()


def test_two_tabs_activate_at_once_one_container_one_erasure(tab, application):
    first, second = tab(), tab()
    for page in (first, second):
        space(page).get_by_role("button", name=TAKE).click()
        expect(dialog(page)).to_contain_text(f"{SECRET}-1")
        tick(page)
    for page in (first, second):
        dialog(page).get_by_role("button", name=ACTIVATE).click(no_wait_after=True)
    for page in (first, second):
        expect(space(page).get_by_role("link", name=TAKE)).to_be_visible()
    assert Container.objects.live().count() == 1
    assert Container.objects.in_pool().count() == 2


@pytest.mark.parametrize("way", ["Escape", "Fermer", "Annuler"])
def test_the_focus_comes_back_whatever_closes_the_dialog(tab, way):
    page = tab()
    opener = space(page).get_by_role("button", name=TAKE)
    opener.focus()
    page.keyboard.press("Enter")
    expect(dialog(page)).to_contain_text(f"{SECRET}-1")
    if way == "Escape":
        page.keyboard.press("Escape")
    elif way == "Fermer":
        dialog(page).get_by_role("button", name="Fermer").press("Enter")
    else:
        dialog(page).get_by_role("link", name="Annuler").press("Enter")
    expect(dialog(page)).to_be_hidden()
    expect(opener).to_be_focused()


def test_by_keyboard_alone(tab):
    page = tab()
    space(page).get_by_role("button", name=TAKE).focus()
    page.keyboard.press("Enter")
    expect(dialog(page)).to_contain_text(f"{SECRET}-1")
    for _ in range(10):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.type") == "checkbox":
            break
        assert page.evaluate("document.activeElement.closest('dialog') !== null"), "the focus left the dialog"
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(space(page).get_by_role("link", name=TAKE)).to_be_focused()


def test_without_script(browser, live_server, signed_in, application):
    client = signed_in(application.referent)
    context = browser.new_context(java_script_enabled=False, locale="fr-FR")
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
    page = context.new_page()
    page.goto(live_server.url + reverse("applications:detail", args=[application.reference]))
    space(page).get_by_role("button", name=TAKE).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Téléchargement du conteneur ZED sécurisé et chiffré")
    expect(page.get_by_text(f"{SECRET}-1")).to_be_visible()
    page.get_by_role("link", name="Annuler").click()
    space(page).get_by_role("button", name=TAKE).click()
    page.get_by_role("button", name=ACTIVATE).click()
    expect(page.get_by_text("Cochez cette case").first).to_be_visible()
    page.get_by_text(BOX).last.click()
    page.get_by_role("button", name=ACTIVATE).click()
    with page.expect_download() as download:
        space(page).get_by_role("link", name=TAKE).click()
    assert download.value.path().read_bytes() == zed(1)
    context.close()


@pytest.mark.parametrize("screen", SCREENS, ids=lambda s: str(s["width"]))
def test_the_page_of_the_pools(context, live_server, signed_in, screen, application):
    client = signed_in(UserFactory(ans=True))
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
    page = context.new_page()
    page.set_viewport_size(screen)
    page.goto(live_server.url + reverse("evidence:containers"))
    assert faults(page) == []
    wrong = {"name": "lot.csv", "mimeType": "text/csv", "buffer": b"x.zed;nom;secret;domaine-x;D1.O1"}
    archive = {"name": "lot.zip", "mimeType": "application/zip", "buffer": zipped({"x.zed": zed(9)})}
    page.locator("[name=archive]").set_input_files(archive)
    page.locator("[name=table]").set_input_files(wrong)
    page.get_by_role("button", name="Charger le lot").click()
    expect(page.get_by_text("Ligne 1, x.zed")).to_be_visible()
    assert faults(page) == []
    assert not is_too_wide(page)


def test_an_empty_pool_is_told_in_the_dialog(tab):
    Container.objects.all().delete()
    page = tab()
    space(page).get_by_role("button", name=TAKE).click()
    expect(dialog(page).get_by_role("heading")).to_have_text("Aucun conteneur ZED disponible")
    expect(dialog(page)).to_contain_text("revenez demain")
    assert faults(page) == []
