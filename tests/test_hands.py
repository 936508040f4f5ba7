"""What people do besides a candidature, by keyboard alone and without script: register, change a contact, transfer a
dossier, ask for one, give other bank details, decide as an agent."""

import re

import pytest
from captcha.models import CaptchaStore
from django.urls import reverse
from playwright.sync_api import expect

from accounts.models import User
from applications.models import Application, TakeOverRequest
from applications.states import State
from demo.specimens import pdf
from establishments.models import Establishment
from evidence.models import BankDetails
from tests.accounts.steps import NEW_PASSWORD, person, secret_of
from tests.browsing import LARGE, Keyboard, Plain

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

RIB = {"name": "rib.pdf", "mimeType": "application/pdf", "buffer": pdf()}
REASON = "La référente a quitté l’établissement."


@pytest.fixture(params=[Keyboard, Plain], ids=["keyboard", "without script"])
def hand(request, browser, live_server, demo):
    has_script = request.param is Keyboard
    options = {"java_script_enabled": has_script, "base_url": live_server.url, "viewport": LARGE, "locale": "fr-FR"}
    with browser.new_context(**options) as context:
        yield request.param(context.new_page())


@pytest.fixture
def become(hand, signed_in, live_server):
    def somebody(username: str):
        session = signed_in(User.objects.get(username=username)).session.session_key
        hand.page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])

    return somebody


def test_register(hand):
    page = hand.page
    page.goto("/")
    hand.press("Inscription", role="link")
    for name, text in person().items():
        if name == "civility":
            hand.pick("#id_civility_0")
        else:
            hand.fill(f"#id_{name}", text)
    hand.fill("#id_captcha", CaptchaStore.objects.latest("id").response)
    hand.press("Suivant")
    hand.choose("#id_kind", "Groupement Hospitalier de Territoire")
    hand.choose("#id_region", "Occitanie")
    hand.press("Suivant")
    chosen = Establishment.objects.get(ght__code="OCC-04")
    hand.press(f"Sélectionner {chosen}")
    hand.press("Suivant", role="link")
    expect(page.get_by_role("main")).to_contain_text("jean.sante@exemple.fr")
    hand.press("Créer le compte")
    expect(page).to_have_url(re.compile("/inscription/fin/$"))
    key = secret_of("activation", to="jean.sante@exemple.fr").rstrip("/").rpartition("/")[2]
    page.goto(reverse("account_confirm_email", args=[key]))
    hand.press("Activer mon compte")
    hand.fill("#id_login", "jean.sante")
    hand.fill("#id_password", NEW_PASSWORD)
    hand.press("Se connecter")
    expect(page.locator("#id_code")).to_be_visible()
    hand.fill("#id_code", secret_of("code", to="jean.sante@exemple.fr"))
    hand.press("Valider")
    hand.pick("#id_is_accepted")
    hand.press("Valider")
    expect(page.get_by_role("heading", name="Tableau de bord")).to_be_visible()
    assert User.objects.get(username="jean.sante").establishment == chosen


def test_change_a_contact(hand, become):
    become("chu.montpellier")
    dossier = Application.objects.get(referent__username="chu.montpellier")
    hand.page.goto(reverse("applications:detail", args=[dossier.reference]))
    hand.press("Modifier les contacts", role="link")
    hand.press("Modifier le contact RSSI", role="link")
    hand.pick("#contact-rssi-civility_0")
    for name, text in {"last_name": "Lenoir", "first_name": "Inès", "email": "ines.lenoir@exemple.fr"}.items():
        hand.fill(f"#contact-rssi-{name}", text)
    hand.press("Enregistrer")
    expect(hand.page.get_by_text("Les coordonnées du contact RSSI sont enregistrées.")).to_be_visible()
    assert dossier.contacts.get(role="rssi").email == "ines.lenoir@exemple.fr"


def test_transfer_a_dossier(hand, become):
    become("chu.montpellier")
    dossier = Application.objects.get(referent__username="chu.montpellier")
    colleague = User.objects.get(username="collegue.montpellier")
    hand.page.goto(reverse("accounts:account"))
    hand.unfold(str(colleague))
    hand.press(f"Transférer mes dossiers à {colleague}", role="link")
    hand.pick(f"#transfer-{colleague.pk}-dossier_0")
    hand.press("Confirmer le transfert")
    expect(hand.page.get_by_text("Vous n’y avez plus accès.")).to_be_visible()
    assert Application.objects.get(pk=dossier.pk).referent == colleague


def test_ask_for_a_dossier_and_be_heard(hand, become):
    become("collegue.montpellier")
    dossier = Application.objects.get(referent__username="chu.montpellier")
    hand.page.goto(reverse("applications:request_take_over", args=[dossier.reference]))
    hand.fill("#id_reason", REASON)
    hand.press("Demander la reprise")
    expect(hand.page.get_by_text("est transmise")).to_be_visible()
    become("ars.occitanie")
    hand.page.goto(reverse("reviews:refuse_take_over", args=[TakeOverRequest.objects.get().pk]))
    hand.fill("#id_message", "La référente est toujours en poste.")
    hand.press("Refuser la reprise")
    expect(hand.page.get_by_text("la reprise est refusée")).to_be_visible()
    assert TakeOverRequest.objects.get().state == TakeOverRequest.State.REFUSED


def test_give_other_bank_details(hand, become):
    dossier = Application.objects.get(state=State.ACCEPTED)
    become(dossier.referent.username)
    hand.page.goto(reverse("evidence:bank_details", args=[dossier.reference]))
    hand.fill("#id_account-holder", "CH de la Ville")
    hand.fill("#id_iban", "FR1420041010050500013M02606")
    hand.fill("#id_bic", "PSSTFRPPMON")
    hand.attach("#id_upload", RIB)
    hand.press("Transmettre à l’ANS")
    expect(hand.page.get_by_text("Votre demande est transmise à l’ANS.")).to_be_visible()
    assert BankDetails.objects.get().values["bic"] == "PSSTFRPPMON"


def test_ask_for_changes(hand, become):
    dossier = Application.objects.filter(state=State.SUBMITTED, establishment__region="76").first()
    become("ars.occitanie")
    hand.page.goto(reverse("reviews:dossier", args=[dossier.reference]))
    hand.press("Demander une modification", role="link")
    hand.fill("#id_message", "Le RIB transmis ne correspond pas à l’IBAN.")
    hand.press("Demander une modification")
    expect(hand.page.get_by_text("La demande de modification est envoyée.")).to_be_visible()
    assert Application.objects.get(pk=dossier.pk).state == State.CHANGES_REQUESTED
