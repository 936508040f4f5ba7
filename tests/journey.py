"""The steps that journeys share: a person at a browser of their own, on a portal that runs as `make run` starts it."""

import re
import sqlite3
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from demo.actions import read_demo
from demo.specimens import specimen
from tests.mailbox import Mailbox


@dataclass
class Portal:
    address: str
    folder: Path

    def answer_to(self, key: str) -> str:
        """What the image of the captcha shows: a person reads it, a test asks the database."""
        with sqlite3.connect(f"file:{self.folder}/ecare.sqlite3?mode=ro", uri=True) as database:
            return database.execute("SELECT response FROM captcha_captchastore WHERE hashkey = ?", [key]).fetchone()[0]

    def mailbox_of(self, email: str) -> Mailbox:
        mailbox = Mailbox(self.folder / "mail", email)
        mailbox.forget()
        return mailbox


def new_page(browser: Browser, portal: Portal) -> Page:
    """A browser of its own, which fails the test on any script error or refusal by the content policy."""
    page = browser.new_context(
        base_url=portal.address, locale="fr-FR", viewport={"width": 1280, "height": 900}
    ).new_page()
    page.on("pageerror", lambda error: pytest.fail(f"script error: {error}"))
    page.on("console", lambda said: pytest.fail(said.text) if "Content Security Policy" in said.text else None)
    return page


def sit(portal: Portal, browser: Browser, username: str) -> Page:
    """A signed-in page of one person of the demo, with a browser of their own."""
    page = new_page(browser, portal)
    sign_in(page, portal.mailbox_of(f"{username}@demo.ecare.example"), username, read_demo()["password"])
    return page


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def choose(page: Page, name: str, value: str) -> None:
    """Click the label of a box or a radio button, as a person does."""
    field = page.locator(f"input[name='{name}'][value='{value}']" if value else f"input[name='{name}'][type=checkbox]")
    page.locator(f"label[for='{field.get_attribute('id')}']").click()
    expect(field).to_be_checked()


def put(page: Page, key: str, name: str) -> None:
    """Choose a file for a space, and wait until the vault has it."""
    content = specimen(name.rpartition(".")[2], f"Preuve {key} {name}")
    page.locator(f"#id_{key}").set_input_files({"name": name, "mimeType": "", "buffer": content})
    expect(page.locator(f"#espace-{key} [data-files]")).to_contain_text(name)


def sign_in(page: Page, mailbox: Mailbox, username: str, password: str) -> None:
    page.goto("/connexion/")
    page.get_by_label("Nom d’utilisateur ou adresse e-mail").fill(username)
    page.get_by_label("Mot de passe", exact=False).first.fill(password)
    press(page, "Se connecter")
    expect(page.get_by_text("Code à usage unique transmis par e-mail")).to_be_visible()
    page.get_by_label("Code transmis").fill(mailbox.code())
    press(page, "Valider")


def transmit(page: Page, progress: str, *, what: str = "candidature") -> None:
    """Recap at 100 %, then the button, then the receipt."""
    press(page, "Suivant")
    expect(page).to_have_url(re.compile("/recapitulatif/$"))
    expect(page.get_by_text(progress).first).to_be_visible()
    press(page, f"Transmettre votre {what}")
    expect(page).to_have_url(re.compile("/transmise/$"))
    expect(page.locator("main")).to_contain_text(re.compile(r"[0-9a-f]{64}"))


def decide(page: Page, reference: str, verb: str, *, message: str = "") -> None:
    """Open the dossier from the queue, choose a decision, confirm it."""
    page.goto("/verification/")
    page.get_by_role("link", name=reference).click()
    page.get_by_role("link", name=verb, exact=True).click()
    if message:
        page.locator("[name=message]").fill(message)
    press(page, verb)
    expect(page.get_by_role("heading", name=f"Dossier {reference}")).to_be_visible()


def decide_funding(page: Page, reference: str, *, objectives: int, total: str = "") -> None:
    """The ANS: every objective is reached, every expense accepted, or the total typed; saved."""
    page.goto(f"/verification/{reference}/")
    page.get_by_role("link", name="Décider du financement").click()
    for rank in range(objectives):
        choose(page, f"objective_{rank}", "oui")
    if total:
        page.locator("[name=total]").fill(total)
        press(page, "Enregistrer")
    else:
        press(page, "Retenir toutes les dépenses à examiner")
    expect(page.get_by_text("La décision est enregistrée.")).to_be_visible()
