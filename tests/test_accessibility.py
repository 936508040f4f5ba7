"""Every page of the portal, for every role and in every state of a dossier, on the demo: no fault that axe finds, on a
large screen and on one of 320 px, nothing wider than the screen, enlarged twice and four times, nothing
that the browser complains of; behind every dialog a page of its own; every dialog keeps the keyboard and gives it back.

A new address that answers with a page has no row here until somebody writes one: the first test says so.
"""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from accounts.actions import request_email_change
from accounts.agents import invite
from accounts.mailboxes import correct_email
from accounts.models import Invitation, TermsAcceptance, User
from applications.models import Application, Extension, TakeOverRequest
from applications.people import request_take_over
from applications.states import State
from conventions.actions import send_copy
from demo.actions import read_demo
from demo.specimens import pdf
from ecare.letters.actions import deliver
from ecare.letters.models import Letter
from establishments.models import Establishment, Region
from evidence.bank import change_bank_details
from evidence.models import BankDetails, Evidence
from evidence.purges import report_patient_data
from reviews.claims import claim
from reviews.models import Phrase, SavedView
from reviews.remarks import add_note, ask_opinion
from tests.accounts.steps import enrolled, fill_establishment, fill_person, give_code, give_password, secret_of
from tests.addresses import GET
from tests.browsing import faults, is_inside, openers, tab_to

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

EVERY_STATE = " ".join(State.values)

# Addresses without argument, and who looks at them.
PLAIN = {
    "anonymous": "home agents legal_notice personal_data accessibility sitemap help guide_of_referent eligibility"
    " preparations steering:publications systems:documentation letters:mailbox accounts:register accounts:registered"
    " accounts:resend_activation accounts:activation_resent accounts:terms account_login account_inactive"
    " account_reset_password account_reset_password_done account_reset_password_from_key_done",
    "chu.montpellier": "home help applications:dashboard applications:start applications:take_overs accounts:account"
    " accounts:change_email accounts:letters account_change_password account_logout",
    "eps.garazi": "applications:dashboard",
    "collegue.montpellier": "applications:dashboard applications:start applications:take_overs",
    "ars.occitanie": "guide_of_ars reviews:queue reviews:requests exports:exports reviews:phrases reviews:add_phrase"
    " accounts:account accounts:second_factor accounts:enrol steering:overview reviews:extensions evidence:reports",
    "ans": "guide_of_ans reviews:queue reviews:requests exports:exports steering:overview evidence:containers"
    " accounts:letters funding:envelopes funding:payments reviews:extensions reviews:find_establishment"
    " evidence:reissues evidence:reports",
    "administrateur": "guide_of_administrator evidence:containers accounts:account",
}
# Pages of a dossier: in which states its référent looks at them; refusals (409) are pages too.
OF_REFERENT = {
    "applications:detail": EVERY_STATE,
    "applications:recap": "draft changes_requested declaration_open declaration_changes_requested",
    "applications:submitted": "submitted under_control",
    "applications:history": "draft paid declaration_rejected",
    "applications:withdraw": "draft submitted paid",
    "applications:contacts": "draft paid",
    "evidence:bank_details": "submitted accepted paid",
    "conventions:convention": "submitted accepted paid",
}
# … and in which the ANS does; the ARS where the desk is its own.
OF_ANS = {
    "reviews:dossier": EVERY_STATE,
    "reviews:accept": "under_control draft",
    "reviews:request_changes": "under_control",
    "reviews:reject": "under_control",
    "reviews:send_back": "under_control",
    "reviews:reopen": "rejected declaration_rejected",
    "reviews:sign_convention": "accepted",
    "reviews:record_payment": "validated",
    "reviews:abandon": "accepted",
    "reviews:pieces": "under_control draft",
    "funding:decide": "draft accepted under_control validated paid",
}
OF_ARS = {
    "reviews:dossier": "draft submitted declaration_submitted",
    "reviews:accept": "submitted declaration_submitted",
    "reviews:request_changes": "submitted",
    "reviews:cancel_changes": "changes_requested",
    "reviews:move_due_date": "changes_requested",
    "reviews:reject": "submitted",
    "reviews:pieces": "submitted",
    "reviews:add_note": "submitted",
    "reviews:ask_opinion": "submitted",
}
# Opened one by one in the tests below, for what they need: `walks` names them, and each test is held to its names.
WALKED: set[str] = set()
# Answer with a file, a redirection or the state of the portal.
NOT_PAGES = (
    "health alive metrics captcha-image"
    " applications:receipt evidence:download evidence:preview evidence:rib evidence:template"
    " evidence:download_container reviews:convention steering:download steering:download_published letters:html"
    " conventions:copy conventions:to_sign"
    " funding:payments_csv funding:payments_xlsx"
    " exports:download systems:openapi"
)


def words(table) -> set[str]:
    return {name for names in table.values() for name in names.split()}


def walks(names: str):
    """The pages that a test opens; the visitor fails the test that leaves one out."""

    def held_to(test):
        test.walked = set(names.split())
        WALKED.update(test.walked)
        return test

    return held_to


def test_every_address_that_answers_with_a_page_is_looked_at():
    looked_at = words(PLAIN) | set(OF_REFERENT) | set(OF_ANS) | set(OF_ARS) | WALKED
    answering = {row.split()[0] for row, answers in GET.items() if re.search("200|409|410", answers)}
    assert answering - looked_at - set(NOT_PAGES.split()) == set()
    assert looked_at & set(NOT_PAGES.split()) == set()


def dossiers_in(states: str) -> list[Application]:
    """One dossier of the demo per state and domain, of one region where it has one."""
    found = []
    for state in states.split():
        of_state = Application.objects.filter(state=state)
        kept = of_state.filter(establishment__region="76") or of_state
        by_domain = {dossier.domain_id: dossier for dossier in kept.order_by("pk")}
        assert by_domain, state
        found += by_domain.values()
    return found


@pytest.mark.parametrize("person", PLAIN)
def test_pages_without_argument(visitor, person):
    visitor.become(person)
    for name in PLAIN[person].split():
        visitor.look(reverse(name))


@pytest.mark.parametrize("name", OF_REFERENT)
def test_pages_of_a_dossier_for_its_referent(visitor, name):
    for dossier in dossiers_in(OF_REFERENT[name]):
        visitor.become(dossier.referent.username).look(reverse(name, args=[dossier.reference]))


@pytest.mark.parametrize(("person", "table"), [("ars.occitanie", OF_ARS), ("ans", OF_ANS)], ids=["ARS", "ANS"])
def test_pages_of_a_dossier_for_its_reviewers(visitor, person, table):
    visitor.become(person)
    for name, states in table.items():
        for dossier in dossiers_in(states):
            visitor.look(reverse(name, args=[dossier.reference]))


@walks("accounts:terms_version preparation steering:publication eligibility_of letters:letter")
def test_pages_of_text_and_of_a_domain(visitor):
    visitor.become("anonymous")
    visitor.look(reverse("accounts:terms_version", args=["1.0"]))
    for slug in ("domaine-1", "domaine-2"):
        visitor.look(reverse("preparation", args=[slug]))
        visitor.look(reverse("steering:publication", args=[slug]))
    for number in ("OCC-04", "640020707", "310000096"):
        visitor.look(reverse("eligibility_of", args=[number]))
    visitor.look(reverse("eligibility_of", args=["340000000"]), status=404)
    visitor.look(reverse("eligibility") + "?q=montpellier", says="CHU MONTPELLIER")
    visitor.look(reverse("eligibility") + "?q=xyzzyx", says="Essayez avec un seul mot")
    visitor.look(reverse("help") + "?q=code", says="code")
    visitor.look(reverse("help") + "?q=xyzzyx", says="Aucune question")
    deliver()
    letter = Letter.objects.filter(state=Letter.State.SENT).first()
    visitor.look(reverse("letters:mailbox"))
    visitor.look(reverse("letters:letter", args=[letter.pk]))


@walks(
    "accounts:register_establishment accounts:choose_establishment accounts:check_establishment"
    " accounts:register_recap account_confirm_email"
)
def test_the_steps_of_a_registration(visitor):
    client = Client()
    fill_person(client, email="nouveau@exemple.fr", username="nouveau")
    visitor.use(client)
    visitor.look(reverse("accounts:register_establishment"))
    establishment = Establishment.objects.get(ght__code="OCC-04")
    client.post(reverse("accounts:register_establishment"), {"kind": establishment.kind, "region": "76"})
    visitor.look(reverse("accounts:choose_establishment"))
    visitor.look(reverse("accounts:choose_establishment") + "?q=xyzzyx", says="Aucun groupement")
    fill_establishment(client, establishment)
    visitor.look(reverse("accounts:check_establishment"))
    visitor.look(reverse("accounts:register_recap"))
    client.post(reverse("accounts:register_recap"))
    key = secret_of("activation", to="nouveau@exemple.fr").rstrip("/").rpartition("/")[2]
    visitor.look(reverse("account_confirm_email", args=[key]))
    visitor.look(reverse("account_confirm_email", args=["cle-inconnue"]))


@walks("account_sign_in_code accounts:accept_terms")
def test_the_steps_of_a_sign_in(visitor):
    client, person = Client(), User.objects.get(username="chu.montpellier")
    give_password(client, person, password=read_demo()["password"])
    visitor.use(client)
    visitor.look(reverse("account_sign_in_code"))
    visitor.become(person.username)
    TermsAcceptance.objects.filter(user=person).delete()
    visitor.look(reverse("accounts:accept_terms"))


@walks(
    "account_second_factor accounts:second_factor accounts:recovery_codes accounts:renew_recovery_codes"
    " accounts:remove_second_factor"
)
def test_the_second_factor_of_an_agent(visitor):
    person = User.objects.get(username="ans")
    enrolled(person)
    visitor.become(person.username)
    for name in ("accounts:second_factor", "accounts:renew_recovery_codes", "accounts:remove_second_factor"):
        visitor.look(reverse(name))
    visitor.client.post(reverse("accounts:renew_recovery_codes"), {"password": read_demo()["password"]})
    visitor.look(reverse("accounts:recovery_codes"), says="Notez-les maintenant")
    client = Client()
    give_password(client, person, password=read_demo()["password"])
    give_code(client, secret_of("code", to=person.email))
    visitor.use(client)
    visitor.look(reverse("account_second_factor"))
    visitor.look(reverse("account_second_factor") + "?secours", says="Code de secours")


@walks("accounts:accept_invitation")
def test_an_invitation(visitor):
    region = Region.objects.get(pk="76")
    invitation = invite(Invitation(email="invitee@ars.example", role="ars"), regions=[region], by=None)
    address = reverse("accounts:accept_invitation", args=[secret_of("invitation")])
    visitor.become("anonymous").look(address, says=region.ars)
    visitor.become("ars.occitanie").look(address, says="connecté avec un autre compte")
    Invitation.objects.filter(pk=invitation.pk).update(revoked_at=timezone.now())
    visitor.look(address, says="révoquée")


@walks("account_reset_password_from_key accounts:confirm_email_change accounts:stop_email_correction")
def test_the_links_that_letters_carry(visitor):
    client, person = Client(), User.objects.get(username="chu.montpellier")
    client.post(reverse("account_reset_password"), {"email": person.email})
    visitor.use(client)
    key = secret_of("password_reset").split("-", 1)
    visitor.look(reverse("account_reset_password_from_key", args=key), says="Choisissez un nouveau mot de passe")
    visitor.look(reverse("account_reset_password_from_key", args=["1", "cle-inconnue"]))
    visitor.look(reverse("accounts:confirm_email_change", args=["cle-inconnue"]))
    request_email_change(person, "camille.nouvelle@exemple.fr")
    key = secret_of("email_change_to_confirm")
    visitor.look(reverse("accounts:confirm_email_change", args=[key]), says="camille.nouvelle@exemple.fr")
    administrator = User.objects.get(username="administrateur")
    correct_email(person, by=administrator, email="camille.neuve@exemple.fr", reason="Messagerie perdue.")
    stop = reverse("accounts:stop_email_correction", args=[secret_of("email_correction_to_stop")])
    visitor.look(stop, says="camille.neuve@exemple.fr")
    visitor.look(reverse("accounts:stop_email_correction", args=["cle-inconnue"]), says="plus valable")


@walks(
    "applications:update_contact applications:transfer applications:request_take_over"
    " reviews:accept_take_over reviews:refuse_take_over"
)
def test_the_people_of_a_dossier(visitor):
    dossier = Application.objects.get(referent__username="chu.montpellier")
    colleague = User.objects.get(username="collegue.montpellier")
    visitor.become("chu.montpellier")
    visitor.look(reverse("applications:update_contact", args=[dossier.reference, "dsi"]))
    visitor.look(reverse("applications:transfer", args=[colleague.pk]))
    visitor.become("collegue.montpellier")
    visitor.look(reverse("applications:request_take_over", args=[dossier.reference]))
    request_take_over(dossier, by=colleague, reason="La référente a quitté l’établissement.")
    visitor.look(reverse("applications:request_take_over", args=[dossier.reference]))
    visitor.look(reverse("applications:take_overs"))
    visitor.become("chu.montpellier").look(reverse("applications:detail", args=[dossier.reference]))
    asked = TakeOverRequest.objects.get()
    visitor.become("ars.occitanie")
    for name in ("reviews:requests", "reviews:queue"):
        visitor.look(reverse(name))
    for name in ("reviews:accept_take_over", "reviews:refuse_take_over"):
        visitor.look(reverse(name, args=[asked.pk]))


@walks("evidence:remove evidence:replace evidence:container evidence:reissue_container")
def test_the_files_and_the_containers_of_a_dossier(visitor):
    dossier = Application.objects.get(referent__username="chu.montpellier")
    visitor.become("chu.montpellier")
    evidence = Evidence.objects.filter(application=dossier, question__section__form=dossier.declaration_form).first()
    visitor.look(reverse("evidence:remove", args=[evidence.file_id]))
    for name in ("evidence:container", "evidence:reissue_container"):
        visitor.look(reverse(name, args=[dossier.reference, "d1-o1-container"]))
    visitor.client.post(reverse("evidence:container", args=[dossier.reference, "d1-o1-container"]))
    visitor.look(reverse("evidence:container", args=[dossier.reference, "d1-o1-container"]))
    asked = Application.objects.get(state=State.CHANGES_REQUESTED)
    sent = Evidence.objects.filter(application=asked).first()
    visitor.become(asked.referent.username).look(reverse("evidence:replace", args=[sent.file_id]))


@walks("evidence:patient_data evidence:dismiss_report")
def test_patient_data_in_a_file(visitor):
    dossier = Application.objects.filter(state=State.UNDER_CONTROL, establishment__region="76").first()
    evidence = Evidence.objects.filter(application=dossier).first()
    visitor.become("ars.occitanie").look(reverse("evidence:patient_data", args=[evidence.file_id]))
    ars = User.objects.get(username="ars.occitanie")
    report = report_patient_data(evidence, by=ars, reason="Page 3, une liste de patients.", at=timezone.now())
    visitor.look(reverse("evidence:reports"))
    visitor.become("ans").look(reverse("evidence:patient_data", args=[evidence.file_id]))
    for name in ("evidence:reports", "reviews:queue"):
        visitor.look(reverse(name))
    visitor.look(reverse("evidence:dismiss_report", args=[report.pk]))
    visitor.look(reverse("reviews:dossier", args=[dossier.reference]))


@walks("reviews:extensions_of reviews:give_extension reviews:withdraw_extension")
def test_more_time(visitor):
    given = Extension.objects.get()
    visitor.become("ans")
    visitor.look(reverse("reviews:find_establishment") + "?q=rochelle", says="établissement")
    visitor.look(reverse("reviews:extensions_of", args=[given.establishment_id]))
    visitor.look(reverse("reviews:give_extension", args=[given.establishment_id, given.domain.slug, given.step]))
    visitor.look(reverse("reviews:withdraw_extension", args=[given.pk]))
    visitor.become("gh.larochelle").look(reverse("applications:dashboard"), says="prolongation")


@walks("reviews:refuse_copy")
def test_a_signed_copy(visitor):
    dossier = Application.objects.get(state=State.ACCEPTED)
    paper = SimpleUploadedFile("Convention signée.pdf", pdf())
    send_copy(dossier, upload=paper, by=dossier.referent, at=timezone.now())
    visitor.become(dossier.referent.username)
    visitor.look(reverse("conventions:convention", args=[dossier.reference]), says="À contresigner par l’ANS")
    visitor.look(reverse("applications:dashboard"))
    visitor.become("ans")
    for name in ("reviews:dossier", "reviews:sign_convention", "reviews:refuse_copy"):
        visitor.look(reverse(name, args=[dossier.reference]))


@walks("reviews:confirm_bank_details reviews:refuse_bank_details")
def test_other_bank_details(visitor):
    dossier = Application.objects.get(state=State.ACCEPTED)
    rib = SimpleUploadedFile("rib.pdf", pdf())
    values = {"iban": "FR1420041010050500013M02606", "bic": "PSSTFRPPMON"}
    change_bank_details(dossier, by=dossier.referent, values=values, upload=rib)
    visitor.become(dossier.referent.username).look(reverse("evidence:bank_details", args=[dossier.reference]))
    asked = BankDetails.objects.get()
    visitor.become("ans").look(reverse("reviews:requests"))
    for name in ("reviews:confirm_bank_details", "reviews:refuse_bank_details"):
        visitor.look(reverse(name, args=[asked.pk]))


@walks("reviews:give_opinion reviews:read_letter reviews:resend_letter reviews:edit_phrase")
def test_what_agents_write(visitor):
    dossier = Application.objects.filter(state=State.SUBMITTED, establishment__region="76").first()
    ars, ans = User.objects.get(username="ars.occitanie"), User.objects.get(username="ans")
    add_note(dossier, by=ars, text="Le RIB est à vérifier.", is_shared=True)
    opinion = ask_opinion(dossier, by=ans, of=ars, question="Les comptes sont-ils certifiés\u00a0?")
    phrase = Phrase.objects.create(owner=ars, title="RIB", text="Merci de fournir le RIB.")
    SavedView.objects.create(owner=ars, name="Anciens", query="attente=30")
    letters = Letter.objects.about(dossier.subject).filter(recipient=dossier.referent.email)
    letters.update(state=Letter.State.SENT, sent_at=timezone.now())
    visitor.become("ars.occitanie")
    visitor.look(reverse("reviews:give_opinion", args=[dossier.reference, opinion.pk]), says="certifiés")
    visitor.look(reverse("reviews:read_letter", args=[dossier.reference, letters[0].pk]), says=letters[0].title)
    visitor.look(reverse("reviews:resend_letter", args=[dossier.reference, letters[0].pk]), says=dossier.referent.email)
    visitor.look(reverse("reviews:edit_phrase", args=[phrase.pk]))
    file = Evidence.objects.filter(application=dossier).first().file_id
    visitor.look(f"{reverse('reviews:pieces', args=[dossier.reference])}?piece={file}")
    visitor.look(f"{reverse('reviews:queue')}?attente=30")
    visitor.look(reverse("reviews:request_changes", args=[dossier.reference]))
    claim(dossier, by=ars, at=timezone.now())
    visitor.look(reverse("reviews:dossier", args=[dossier.reference]), says="Vous examinez ce dossier")


# --- dialogs ------------------------------------------------------------------------------------------------------
def test_a_dialog_keeps_the_keyboard_and_gives_it_back(visitor):
    dossier = Application.objects.get(referent__username="chu.montpellier")
    visitor.become("chu.montpellier")
    page, seen = visitor.page, set()
    for address in (
        reverse("applications:dashboard"),
        reverse("accounts:account"),
        reverse("applications:detail", args=[dossier.reference]),
    ):
        visitor.go(address)
        page.locator("main details").evaluate_all("all => all.forEach(one => one.setAttribute('open', ''))")
        for opener in openers(page):
            name = opener.get_attribute("aria-controls")
            opener.focus()
            page.keyboard.press("Enter")
            dialog = page.locator(f"#{name}")
            expect(dialog).to_be_visible()
            seen.add(re.sub(r"\d+", "", name))
            reachable = dialog.locator(
                "a[href], button:not([disabled]), input:not([type=hidden]), select, textarea"
            ).count()
            for key in ("Tab", "Shift+Tab"):
                for _ in range(reachable + 2):
                    page.keyboard.press(key)
                    assert is_inside(page, name), (address, name, key)
            assert faults(page) == [], (address, name)
            page.keyboard.press("Escape")
            expect(dialog).to_be_hidden()
            expect(opener).to_be_focused()
    assert {"candidater", "transferer-", "contacts"} <= seen


@pytest.mark.parametrize("role", ["dsi", "rssi"])
def test_a_contact_is_changed_with_the_keyboard_alone(visitor, role):
    """From the table of the contacts to the dialog of one of them: each keeps the keyboard, and gives it back."""
    dossier = Application.objects.get(referent__username="chu.montpellier")
    page = visitor.become("chu.montpellier").page
    visitor.go(reverse("applications:detail", args=[dossier.reference]))
    opener, contact = page.get_by_role("link", name="Modifier les contacts"), page.locator(f"#contact-{role}")
    edit = page.locator(f"#contacts [aria-controls=contact-{role}]")
    for leaves in (True, False):
        tab_to(page, opener)
        page.keyboard.press("Enter")
        expect(page.locator("#contacts")).to_be_visible()
        tab_to(page, edit)
        page.keyboard.press("Enter")
        expect(contact).to_be_visible()
        expect(page.locator("#contacts")).to_be_hidden()
        name = contact.locator("[name=last_name]")
        for _ in range(12):
            page.keyboard.press("Tab")
            assert is_inside(page, f"contact-{role}")
        if leaves:
            page.keyboard.press("Escape")
            expect(contact).to_be_hidden()
            expect(opener).to_be_focused()
    tab_to(page, name)
    page.keyboard.press("Control+A")
    page.keyboard.type("Nouveau-Nom")
    tab_to(page, contact.get_by_role("button", name="Enregistrer"))
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile("Les coordonnées du contact .* sont enregistrées"))).to_be_visible()
