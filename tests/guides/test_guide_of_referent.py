"""What « Guide du référent » shows, from the registration to the declaration."""

import re

import pytest
from captcha.models import CaptchaStore
from playwright.sync_api import expect

from accounts.models import User
from applications.models import Application
from demo.actions import read_demo
from tests.accounts.steps import secret_of
from tests.guides.walk import Walk
from tests.journey import choose, press
from tests.test_journey import fill_candidature

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

DIALOG = "dialog.fr-modal--opened .fr-modal__body"
PASSWORD = "Trois-Renards-Bleus-1789"


def dossier_of(username: str, domain: str = "domaine-1") -> Application:
    return Application.objects.get(referent__username=username, domain__slug=domain)


def test_the_guide_of_the_referent(walk):
    one = walk("referent")
    prepares(one)
    registers(one)
    signs_in(one)
    applies(one)
    corrects(one)
    signs(one)
    declares(one)
    looks_after(one)
    one.end()


def prepares(one: Walk) -> None:
    one.become("anonymous")
    one.go("/")
    one.shot("accueil", ".ecare-door--main", mark=[".ecare-door--main .fr-btn:text-is('Inscription')"])
    one.go("/eligibilite/?q=garazi")
    one.shot("eligibilite", below=760)


def registers(one: Walk) -> None:
    page = one.page
    one.go("/inscription/")
    page.locator("[name=username]").fill("jean.sante")
    choose(page, "civility", "monsieur")
    for name, text in {
        "last_name": "Santé", "first_name": "Jean", "email": "jean.sante@exemple.fr", "password1": PASSWORD,
        "password2": PASSWORD, "phone": "+33 5 59 37 00 55",
    }.items():  # fmt: skip
        page.locator(f"[name={name}]").fill(text)
    expect(page.locator(".ecare-password-rules__met")).to_have_count(4)
    key = page.locator("[name=captcha_key]").input_value()
    page.locator("[name=captcha]").fill(CaptchaStore.objects.get(hashkey=key).response)
    one.shot("inscription-personne", "main form", mark=["main button.fr-btn:text-is('Suivant'):visible >> nth=-1"])
    page.locator("main form button.fr-btn", has_text="Suivant").last.click()
    page.get_by_label("Type d’établissement").select_option("Entité Juridique Publique hors GHT")
    page.get_by_label("Région").select_option("Nouvelle-Aquitaine")
    one.shot("inscription-type", "main form")
    press(page, "Suivant")
    one.wait_for_scripts()
    page.get_by_role("searchbox").fill("garazi")
    expect(page.locator("#results tbody tr")).to_have_count(1)
    one.shot("inscription-choix", "main [role=search]", "#results", mark=["#results button"])
    page.get_by_role("button", name=re.compile("Sélectionner")).click()
    page.get_by_role("link", name="Suivant", exact=True).click()
    one.shot("inscription-recapitulatif", mark=["button:text-is('Créer le compte')"])
    press(page, "Créer le compte")
    one.shot("inscription-fin")


def signs_in(one: Walk) -> None:
    page, who = one.page, User.objects.get(username="eps.garazi")
    one.go("/connexion/?profil=etablissement")
    page.locator("[name=login]").fill(who.username)
    page.locator("[name=password]").fill(read_demo()["password"])
    one.shot("connexion", "main form", mark=["button:text-is('Se connecter')"])
    press(page, "Se connecter")
    one.shot("connexion-code", hide=["main form strong"], mark=["#id_code"])
    page.locator("[name=code]").fill(secret_of("code", who.email))
    press(page, "Valider")
    expect(page.get_by_role("heading", name="Tableau de bord")).to_be_visible()
    one.become(who.username)


def applies(one: Walk) -> None:
    page = one.page
    one.go("/tableau-de-bord/")
    apply = page.get_by_role("link", name="Candidater", exact=True)
    one.shot("tableau-de-bord", "section[aria-labelledby=programme] .ecare-prose", mark=[apply])
    apply.click()
    page.get_by_role("dialog").get_by_text("Domaine 1 Audits techniques", exact=True).click()
    one.shot("candidater", DIALOG, mark=["dialog.fr-modal--opened button[type=submit]"])
    page.get_by_role("dialog").get_by_role("button", name="Valider").click()
    expect(page.get_by_text("0/22 questions obligatoires répondues").first).to_be_visible()
    one.shot("formulaire", below=900)
    one.shot("formulaire-telephone", narrow=True, below=1000)
    fill_candidature(page)
    expect(page.get_by_text("22/22 questions obligatoires répondues").first).to_be_visible()
    one.shot("avancement", ".ecare-side")
    one.shot("depot", "#espace-rib", mark=["#espace-rib .ecare-file__actions button"])
    press(page, "Suivant")
    expect(page).to_have_url(re.compile("/recapitulatif/$"))
    one.shot("recapitulatif", below=900)
    one.shot("transmettre", ".ecare-step-buttons", mark=[".ecare-step-buttons button"])
    press(page, "Transmettre votre candidature")
    expect(page).to_have_url(re.compile("/transmise/$"))
    one.shot("accuse-de-reception")


def corrects(one: Walk) -> None:
    one.become("clinique.pasteur")
    one.go("/tableau-de-bord/")
    one.shot("a-corriger", ".ecare-awaited", mark=[".ecare-awaited a:has-text('Corriger le formulaire')"])
    address = f"/candidatures/{dossier_of('clinique.pasteur').reference}/"
    one.go(address)
    one.shot("demande-de-modification", ".ecare-change-request")
    one.shot("remplacer", "#espace-rib", mark=["#espace-rib button:has-text('Remplacer')"])


def signs(one: Walk) -> None:
    one.become("ch.beziers")
    address = f"/candidatures/{dossier_of('ch.beziers').reference}/"
    one.go(f"{address}convention/")
    one.shot("convention")
    one.go(f"{address}coordonnees-bancaires/")
    one.shot("coordonnees-bancaires")


def declares(one: Walk) -> None:
    page = one.page
    one.become("chu.montpellier")
    address = f"/candidatures/{dossier_of('chu.montpellier').reference}/"
    one.go("/tableau-de-bord/")
    one.shot("suivi-telephone", narrow=True, below=1100)
    one.shot("suivi", ".ecare-awaited", ".ecare-dossiers")
    one.go(address)
    one.shot("declaration", "section.ecare-part >> nth=0", below=900)
    space = page.locator("#espace-d1-o1-container")
    opener = space.get_by_role("button", name=re.compile("Télécharger le conteneur ZED"))
    one.shot("conteneur-espace", space, mark=[opener])
    opener.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading")).to_have_text("Téléchargement du conteneur ZED sécurisé et chiffré")
    dialog.locator("label[for]").last.click()
    one.shot("conteneur", DIALOG, hide=[".ecare-credentials dd"], mark=["dialog.fr-modal--opened button[type=submit]"])
    one.become("chu.nimes")
    one.go(f"/candidatures/{dossier_of('chu.nimes', 'domaine-2').reference}/")
    one.shot("depenses", "[id=question-expenses]", below=1100)


def looks_after(one: Walk) -> None:
    page = one.page
    one.become("chu.montpellier")
    address = f"/candidatures/{dossier_of('chu.montpellier').reference}/"
    one.go(address)
    page.get_by_role("link", name="Modifier les contacts").click()
    one.shot("contacts", DIALOG, mark=["dialog.fr-modal--opened tbody a >> nth=0"])
    page.get_by_role("dialog").get_by_role("link", name="Modifier le contact RSSI").click()
    expect(page.locator("#contact-rssi")).to_have_css("opacity", "1")
    one.shot("contact", "#contact-rssi .fr-modal__body", mark=["#contact-rssi button[type=submit]"])
    one.go("/compte/")
    page.locator("summary", has_text="Lou Démo-Collègue").click()
    one.shot(
        "collaborateurs", "section[aria-labelledby=collaborateurs]", mark=["a:has-text('Transférer mes dossiers')"]
    )
    page.get_by_role("link", name=re.compile("^Transférer mes dossiers")).click()
    dialog = page.get_by_role("dialog")
    dialog.locator("label.fr-label", has_text="Domaine 1").first.click()
    one.shot("transfert", DIALOG, mark=["dialog.fr-modal--opened button[type=submit]"])
    one.go(f"{address}historique/")
    one.shot("historique", below=900)
    one.go("/compte/courriers/")
    one.shot("courriers", "main form")
    one.become("collegue.montpellier")
    one.go("/candidatures/reprises/")
    one.shot("reprise")
