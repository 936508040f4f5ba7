"""The whole path, in a real browser on a real server, mails read from the mailbox: a hospital registers, applies,
proves, is checked twice and is validated. It starts from the demo’s directory and agents."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from demo.actions import BIC, IBAN
from demo.specimens import specimen
from tests.journey import Portal, choose, decide, decide_funding, new_page, press, put, sign_in, sit, transmit
from tests.mailbox import Mailbox
from tests.portal import running

pytestmark = pytest.mark.browser

ANOTHER_IBAN = "FR14 2004 1010 0505 0001 3M02 606"
PASSWORD = "Trois-Renards-Bleus-1789"
NEWCOMER = {"username": "jean.sante", "email": "jean.sante@exemple.fr"}
DOMAIN = "Domaine 1 Audits techniques"


@pytest.fixture
def portal(tmp_path):
    folder = tmp_path / "data"
    with running(folder) as (port, _):
        yield Portal(f"http://127.0.0.1:{port}", folder)


@pytest.fixture
def desk(portal, browser: Browser):
    """`desk(username)`: a signed-in page of one agent of the demo."""
    return lambda username: sit(portal, browser, username)


def register(page: Page, portal: Portal, mailbox: Mailbox) -> None:
    page.goto("/")
    page.get_by_role("main").get_by_role("link", name="Inscription").first.click()
    page.get_by_label("Nom d’utilisateur").fill(NEWCOMER["username"])
    choose(page, "civility", "monsieur")
    page.get_by_label("Nom", exact=False).and_(page.locator("[name=last_name]")).fill("Santé")
    page.locator("[name=first_name]").fill("Jean")
    page.locator("[name=email]").fill(NEWCOMER["email"])
    page.locator("[name=password1]").fill(PASSWORD)
    page.locator("[name=password2]").fill(PASSWORD)
    page.locator("[name=phone]").fill("+33 5 59 37 00 55")
    page.locator("[name=captcha]").fill(portal.answer_to(page.locator("[name=captcha_key]").input_value()))
    press(page, "Suivant")
    page.get_by_label("Type d’établissement").select_option("Entité Juridique Publique hors GHT")
    page.get_by_label("Région").select_option("Nouvelle-Aquitaine")
    press(page, "Suivant")
    page.get_by_role("searchbox").fill("garazi")
    page.get_by_role("searchbox").press("Enter")
    page.get_by_role("row", name=re.compile("640020707")).get_by_role("button", name=re.compile("Sélectionner")).click()
    expect(page.get_by_text("ETABLISSEMENT PUBLIC DE SANTE GARAZI").first).to_be_visible()
    expect(page.get_by_text("EHPAD TOKI EDER")).to_be_visible()
    page.get_by_role("link", name="Suivant", exact=True).click()
    expect(page.get_by_role("main").get_by_text(NEWCOMER["email"])).to_be_visible()
    press(page, "Créer le compte")
    expect(page.get_by_text("Nous avons bien pris en compte votre inscription.")).to_be_visible()
    page.goto(mailbox.link("Activez"))
    press(page, "Activer mon compte")


def fill_candidature(page: Page) -> None:
    choose(page, "commitment", "")
    for role in ("dsi", "rssi", "signatory"):
        choose(page, f"{role}-civility", "madame")
        page.locator(f"[name={role}-last-name]").fill(f"Martin-{role}")
        page.locator(f"[name={role}-first-name]").fill("Camille")
        page.locator(f"[name={role}-email]").fill(f"{role}@exemple.fr")
    page.locator("[name=signatory-job]").fill("Directrice générale")
    page.locator("[name=signatory-phone]").fill("05 59 37 00 55")
    page.locator("[name=account-holder]").fill("EPS Garazi")
    page.locator("[name=iban]").fill(ANOTHER_IBAN)
    page.locator("[name=bic]").fill(BIC)
    choose(page, "ps1-1", "oui")
    choose(page, "ps1-2", "oui")
    press(page, "Tout confirmer")
    put(page, "rib", "RIB n° 1.pdf")


def fill_declaration(page: Page) -> None:
    for box in ("d1-o1-a", "d1-o1-b", "d1-o1-consent", "d1-o2-a", "d1-o2-b", "d1-o2-consent"):
        choose(page, box, "")
    put(page, "d1-o1-ad-list", "liste-ad.docx")
    put(page, "d1-o1-container", "conteneur-o1.zed")
    put(page, "d1-o2-exposure-list", "exposition.docx")
    put(page, "d1-o2-container", "conteneur-o2.zed")
    for space in page.locator("[data-space]").all():
        key = space.get_attribute("data-space")
        if key not in ("d1-o1-ad-list", "d1-o1-container", "d1-o2-exposure-list", "d1-o2-container"):
            put(page, key, f"{key}.{space.get_attribute('data-formats').split(',')[0].strip('. ')}")
    choose(page, "attestation", "")


def test_a_hospital_registers_applies_proves_is_checked_twice_and_is_validated(portal, browser, desk):
    # --- registration, activation, sign-in, terms
    page, mails = new_page(browser, portal), portal.mailbox_of(NEWCOMER["email"])
    register(page, portal, mails)
    sign_in(page, mails, NEWCOMER["username"], PASSWORD)
    expect(page.get_by_role("heading", name="Conditions générales d’utilisation").first).to_be_visible()
    page.get_by_text(re.compile("accepte")).last.click()
    press(page, "Valider")
    expect(page.get_by_role("cell", name="Aucune candidature")).to_be_visible()

    # --- the candidature
    page.get_by_role("link", name="Candidater", exact=True).click()
    page.get_by_role("dialog").get_by_text(DOMAIN, exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Valider").click()
    expect(page).to_have_url(re.compile(r"/candidatures/[A-Z]{10}/"))
    reference = re.search(r"/candidatures/([A-Z]{10})/", page.url)[1]
    expect(page.get_by_text("0/22 questions obligatoires répondues").first).to_be_visible()
    fill_candidature(page)
    transmit(page, "22/22 questions obligatoires répondues")
    assert reference in mails.next("Accusé de réception")

    # --- the ARS asks for a change, the référent answers it, the ARS accepts
    ars = desk("ars.nouvelle-aquitaine")
    remark = "Le RIB transmis ne correspond pas à l’IBAN indiqué dans le formulaire."
    decide(ars, reference, "Demander une modification", message=remark)
    assert remark in mails.next("Modification demandée")
    page.goto(f"/candidatures/{reference}/")
    expect(page.get_by_text("Demande de modification du formulaire de candidature")).to_be_visible()
    expect(page.get_by_text(remark)).to_be_visible()
    page.locator("[name=iban]").fill(IBAN)
    transmit(page, "22/22 questions obligatoires répondues")
    decide(ars, reference, "Accepter la candidature")
    mails.next("acceptée")

    # --- the ANS records the convention, which opens the declaration
    ans = desk("ans")
    ans.goto(f"/verification/{reference}/")
    ans.get_by_role("link", name="Enregistrer la convention signée").click()
    for name in ("establishment_signed_on", "signed_on"):
        ans.locator(f"[name={name}]").fill(ans.locator(f"[name={name}]").get_attribute("max"))
    ans.locator("[name=upload]").set_input_files(
        {"name": "convention.pdf", "mimeType": "application/pdf", "buffer": specimen("pdf", "Convention")}
    )
    press(ans, "Enregistrer la convention signée")
    page.goto(mails.link("Déclaration ouverte"))
    expect(page.get_by_text("0/13 questions obligatoires répondues").first).to_be_visible()

    # --- the declaration: ARS, ANS, a change, validated
    fill_declaration(page)
    transmit(page, "13/13 questions obligatoires répondues", what="déclaration")
    decide(ars, reference, "Transmettre la déclaration à l’ANS")
    mails.next("transmis à l’ANS")
    decide(ans, reference, "Demander une modification", message="Il manque la preuve A.")
    page.goto(mails.link("Modification demandée"))
    expect(page.get_by_text("Demande de modification du formulaire de déclaration")).to_be_visible()
    put(page, "d1-o1-ad-list", "preuve-a.docx")
    transmit(page, "13/13 questions obligatoires répondues", what="déclaration")
    decide_funding(ans, reference, objectives=4, total="54 321,50")
    decide(ans, reference, "Valider la déclaration")
    assert "validé" in mails.next("validé")
    page.goto("/tableau-de-bord/")
    expect(page.get_by_role("row", name=re.compile(reference))).to_contain_text("Validée")
