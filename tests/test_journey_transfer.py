"""A dossier changes hands twice, in a real browser on a real server: a référent gives it to a colleague, who corrects a
contact; then the former one asks for it back, and the ARS decides. Each learns of it by mail."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.journey import Portal, press, sit
from tests.portal import running

pytestmark = pytest.mark.browser

GIVER, COLLEAGUE = "chu.montpellier", "collegue.montpellier"
REASON = "Le nouveau référent est absent pour plusieurs mois."


@pytest.fixture
def portal(tmp_path):
    folder = tmp_path / "data"
    with running(folder) as (port, _):
        yield Portal(f"http://127.0.0.1:{port}", folder)


def transfer(page: Page, name: str) -> str:
    """From « Votre compte », in the dialog. Returns the reference of the dossier."""
    page.goto("/compte/")
    page.locator("summary", has_text=name).click()
    page.get_by_role("link", name=re.compile("^Transférer mes dossiers")).click()
    dialog = page.get_by_role("dialog")
    confirm = dialog.get_by_role("button", name="Confirmer le transfert")
    expect(confirm).to_be_disabled()
    choice = dialog.locator("label.fr-label", has_text="Domaine 1").first
    reference = re.match(r"[A-Z]{10}", choice.inner_text())[0]
    choice.click()
    expect(confirm).to_be_enabled()
    confirm.click()
    expect(page.get_by_text(f"Le dossier n° {reference} est transféré")).to_be_visible()
    return reference


def change_contact(page: Page, reference: str) -> None:
    """From the card, through both dialogs."""
    page.goto(f"/candidatures/{reference}/")
    page.get_by_role("link", name="Modifier les contacts").click()
    page.get_by_role("dialog").get_by_role("link", name="Modifier le contact RSSI").click()
    dialog = page.get_by_role("dialog", name="Mise à jour du contact")
    dialog.get_by_label("Nom", exact=False).and_(dialog.locator("[name=last_name]")).fill("Nouveau-RSSI")
    dialog.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_text("Les coordonnées du contact RSSI sont enregistrées.")).to_be_visible()
    expect(page.get_by_label("Avancement et contacts")).to_contain_text("Nouveau-RSSI")


def ask_back(page: Page, reference: str) -> None:
    page.goto("/compte/")
    page.get_by_role("link", name="Demandez à reprendre son dossier").click()
    page.get_by_role("link", name=f"Demander la reprise du dossier {reference}").click()
    page.get_by_label("Motif de la demande").fill(REASON)
    press(page, "Demander la reprise")
    expect(page.get_by_text("Demande en attente")).to_be_visible()


def test_a_dossier_goes_to_a_colleague_and_comes_back_by_the_ars(portal, browser):
    giver, colleague = sit(portal, browser, GIVER), sit(portal, browser, COLLEAGUE)
    givers, colleagues = (portal.mailbox_of(f"{name}@demo.ecare.example") for name in (GIVER, COLLEAGUE))

    # --- the transfer: at once, and both are told
    reference = transfer(giver, "Lou Démo-Collègue")
    address = f"/candidatures/{reference}/"
    assert giver.goto(address).status == 404
    assert "Vous n’y avez plus accès" in givers.next("transféré")
    colleague.goto(colleagues.link("transféré"))
    expect(colleague.get_by_role("heading", name="Domaine 1 Audits techniques")).to_be_visible()
    change_contact(colleague, reference)
    assert "Nouveau-RSSI" in colleagues.next("Contact RSSI modifié")

    # --- the take-over: asked with a reason, decided by the ARS of the region
    ask_back(giver, reference)
    assert REASON in colleagues.next("Reprise demandée")
    ars = sit(portal, browser, "ars.occitanie")
    ars.goto("/verification/")
    ars.get_by_role("link", name=re.compile(r"^Demandes des établissements \(1")).click()
    expect(ars.get_by_text(REASON)).to_be_visible()
    ars.get_by_role("link", name=re.compile("^Accepter la reprise")).click()
    press(ars, "Accepter la reprise")
    expect(ars.get_by_text("la reprise est acceptée")).to_be_visible()

    assert "Vous n’y avez plus accès" in colleagues.next("reprise acceptée")
    assert colleague.goto(address).status == 404
    giver.goto(givers.link("reprise acceptée"))
    expect(giver.get_by_label("Avancement et contacts")).to_contain_text("Nouveau-RSSI")
