"""Domaine 2 in a real browser: a group applies, is accepted, declares what it spent line by line, and is validated."""

import re
from datetime import date, timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from demo.actions import BIC, IBAN
from demo.specimens import specimen
from tests.journey import Portal, choose, decide, decide_funding, press, put, sit, transmit
from tests.portal import running

pytestmark = pytest.mark.browser

DOMAIN = "Domaine 2 – Stratégie de continuité et de reprise d’activité"
REFERENT = "ch.pau"  # of a group of Nouvelle-Aquitaine


@pytest.fixture
def portal(tmp_path):
    folder = tmp_path / "data"
    with running(folder) as (port, _):
        yield Portal(f"http://127.0.0.1:{port}", folder)


def fill_spaces(page: Page) -> None:
    for space in page.locator("[data-space]").all():
        extension = space.get_attribute("data-formats").split(",")[0].strip(". ")
        put(page, space.get_attribute("data-space"), f"{space.get_attribute('data-space')}.{extension}")


def fill_candidature(page: Page) -> None:
    for box in ("commitment", "p1", "p2", "objectives-agreed"):
        choose(page, box, "")
    for role in ("dsi", "rssi", "signatory"):
        choose(page, f"{role}-civility", "madame")
        page.locator(f"[name={role}-last-name]").fill(f"Martin-{role}")
        page.locator(f"[name={role}-first-name]").fill("Camille")
        page.locator(f"[name={role}-email]").fill(f"{role}@exemple.fr")
    page.locator("[name=signatory-job]").fill("Directrice générale")
    page.locator("[name=signatory-phone]").fill("05 59 92 48 48")
    page.locator("[name=account-holder]").fill("CH de Pau")
    page.locator("[name=iban]").fill(IBAN)
    page.locator("[name=bic]").fill(BIC)
    page.locator("[name=p2-organisation]").fill("Un comité de pilotage mensuel, un chef de projet par établissement.")
    page.locator("[name=requested-amount]").fill("85 000,50")
    page.locator("[name=requested-amount-reason]").fill("Coffre de sauvegarde et exercices de reprise.")
    press(page, "Tout confirmer")
    fill_spaces(page)


def spend(page: Page, line: int, **cells: str) -> None:
    """Type one line of expenses, counted from 1 as on the page."""
    group = page.get_by_role("group", name=f"Ligne {line}", exact=True)
    for name, value in cells.items():
        group.locator(f"[name$=':{name}']").fill(value)


def declare_expenses(page: Page) -> None:
    """Two good lines and one too many; then a wrong date, which is refused, explained, and put right."""
    first = date.fromisoformat(page.locator("[name='expenses:0:date']").get_attribute("min"))
    good = {"date": first.isoformat(), "supplier": "Sauvegarde et Reprise SAS"}
    spend(page, 1, **good, label="Coffre de sauvegarde", amount="60 000")
    press(page, "Ajouter une ligne")
    spend(page, 2, **good, label="Exercice de reprise", amount="12 000,50")
    press(page, "Ajouter une ligne")
    spend(page, 3, label="En trop", amount="1")
    expect(page.locator("[data-total]")).to_have_text(re.compile(r"72\s001,50\s€"))
    page.get_by_role("group", name="Ligne 3").get_by_title("Retirer la ligne").click()
    expect(page.locator("[data-total]")).to_have_text(re.compile(r"72\s000,50\s€"))
    spend(page, 2, date=(first - timedelta(days=1)).isoformat())
    press(page, "Suivant")
    expect(page.get_by_role("link", name="Dépenses engagées").first).to_be_visible()
    expect(page.get_by_text(re.compile("est antérieure au")).first).to_be_visible()
    expect(page.locator("[name='expenses:1:label']")).to_have_value("Exercice de reprise")
    spend(page, 2, date=first.isoformat())


def sign_convention(page: Page, reference: str) -> None:
    page.goto(f"/verification/{reference}/")
    page.get_by_role("link", name="Enregistrer la convention signée").click()
    for name in ("establishment_signed_on", "signed_on"):
        page.locator(f"[name={name}]").fill(page.locator(f"[name={name}]").get_attribute("max"))
    page.locator("[name=upload]").set_input_files(
        {"name": "convention.pdf", "mimeType": "application/pdf", "buffer": specimen("pdf", "Convention")}
    )
    press(page, "Enregistrer la convention signée")


def test_a_group_applies_to_domaine_2_declares_its_expenses_and_is_validated(portal, browser: Browser):
    # --- the candidature: what only a group is asked, too
    page = sit(portal, browser, REFERENT)
    page.get_by_role("link", name="Candidater", exact=True).click()
    page.get_by_role("dialog").get_by_text(DOMAIN, exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Valider").click()
    expect(page).to_have_url(re.compile(r"/candidatures/[A-Z]{10}/"))
    reference = re.search(r"/candidatures/([A-Z]{10})/", page.url)[1]
    expect(page.get_by_text("0/36 questions obligatoires répondues").first).to_be_visible()
    expect(page.locator("#espace-constitutive-convention")).to_be_visible()
    fill_candidature(page)
    transmit(page, "36/36 questions obligatoires répondues")

    # --- accepted, convention signed
    ars, ans = sit(portal, browser, "ars.nouvelle-aquitaine"), sit(portal, browser, "ans")
    ars.goto(f"/verification/{reference}/")
    expect(ars.get_by_text(re.compile(r"85\s000,50\s€")).first).to_be_visible()
    decide(ars, reference, "Accepter la candidature")
    sign_convention(ans, reference)

    # --- the declaration, its expenses, and what the reviewers read of them
    page.goto(f"/candidatures/{reference}/")
    expect(page.get_by_text("0/10 questions obligatoires répondues").first).to_be_visible()
    for box in ("d2-o1", "d2-o2", "attestation"):
        choose(page, box, "")
    press(page, "Tout confirmer")
    fill_spaces(page)
    declare_expenses(page)
    transmit(page, "10/10 questions obligatoires répondues", what="déclaration")
    for agent in (ars, ans):
        agent.goto(f"/verification/{reference}/")
        expect(agent.get_by_role("cell", name="Exercice de reprise")).to_be_visible()
        expect(agent.get_by_role("row", name=re.compile(r"Total\s+72\s000,50\s€"))).to_be_visible()
    decide(ars, reference, "Transmettre la déclaration à l’ANS")
    decide_funding(ans, reference, objectives=2)
    ans.locator("[name=line_2_outcome]").select_option("refused")
    press(ans, "Enregistrer")
    expect(ans.get_by_role("link", name="Motif, ligne 2")).to_be_visible()
    ans.locator("[name=line_2_reason]").fill("Dépense sans lien avec l’objectif")
    press(ans, "Enregistrer")
    decide(ans, reference, "Valider la déclaration")
    page.goto(f"/candidatures/{reference}/")
    expect(page.get_by_role("heading", name=re.compile("Montant à verser"))).to_be_visible()
    expect(page.get_by_text("Dépense sans lien avec l’objectif")).to_be_visible()
    page.goto("/tableau-de-bord/")
    expect(page.get_by_role("row", name=re.compile(reference))).to_contain_text("Validée")
