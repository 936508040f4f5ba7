"""Every form of the portal, wrongly filled in: its title says so, its summary has the focus and leads to each field,
each field says what is wrong with it, and axe finds no fault at 320 px. And the pages that answer with an error.

A new form has no row here until somebody writes one: the first test says so.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from accounts.agents import invite
from accounts.models import Invitation, TermsAcceptance, User
from applications.models import Application, Extension, TakeOverRequest
from applications.people import request_take_over
from applications.states import State
from demo.actions import read_demo
from demo.specimens import pdf
from evidence import containers
from evidence.bank import change_bank_details
from evidence.models import BankDetails, Evidence
from reviews.models import Phrase
from reviews.remarks import ask_opinion
from tests.accounts.steps import enrolled, fill_person, give_code, give_password, secret_of
from tests.addresses import POST
from tests.browsing import NARROW, Visitor
from tests.conventions.demo import controlled_file, reported, signed_copy
from tests.factories import UserFactory
from tests.look.test_errors import PAGES

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ERROR = "Erreur\u00a0: "
EMPTY = None
UNPRESSED = None
SPACE = "d1-o1-container"


# --- who comes to a form by more than its address -----------------------------------------------------------------
def registering(visitor):
    client = Client()
    assert fill_person(client, email="nouveau@exemple.fr", username="nouveau").status_code == 302
    visitor.use(client)


def with_password_only(visitor):
    client = Client()
    give_password(client, User.objects.get(username="chu.montpellier"), password=read_demo()["password"])
    visitor.use(client)


def with_application(visitor):
    person = User.objects.get(username="ans")
    if person.second_factor_since is None:
        enrolled(person)
    visitor.become("ans")


def before_the_application(visitor):
    with_application(visitor)
    client, person = Client(), User.objects.get(username="ans")
    give_password(client, person, password=read_demo()["password"])
    give_code(client, secret_of("code", to=person.email))
    visitor.use(client)


def with_new_terms(visitor):
    visitor.become("chu.nimes")
    TermsAcceptance.objects.filter(user__username="chu.nimes").delete()


# --- what an address names ----------------------------------------------------------------------------------------
def dossier(username: str, slug: str = "domaine-1", *more: str):
    return lambda: [Application.objects.get(referent__username=username, domain__slug=slug).reference, *more]


def first_in(state: str):
    return lambda: [Application.objects.filter(state=state, establishment__region="76").first().reference]


def invited():
    Invitation.objects.all().delete()
    invite(Invitation(email="invitee@ans.example", role="ans"), regions=[], by=None)
    return [secret_of("invitation")]


def colleague():
    return [User.objects.get(username="collegue.montpellier").pk]


def sent_file():
    return [Evidence.objects.filter(application__state=State.CHANGES_REQUESTED).first().file_id]


def with_container(*, activated: bool):
    def found():
        application = Application.objects.get(referent__username="chu.montpellier")
        known = {"by": application.referent, "at": timezone.now()}
        question = containers.question_of(application, SPACE)
        drawn = containers.draw(application, question, **known)
        if activated:
            containers.activate(application, question, shown=str(drawn.file_id), **known)
        return [application.reference, SPACE]

    return found


def reset_key():
    Client().post(reverse("account_reset_password"), {"email": User.objects.get(username="ch.pau").email})
    return secret_of("password_reset").split("-", 1)


def take_over():
    asking = User.objects.get(username="collegue.montpellier")
    held = Application.objects.get(referent__username="chu.montpellier")
    request_take_over(held, by=asking, reason="La référente a quitté l’établissement.")
    return [TakeOverRequest.objects.get().pk]


def other_bank_details():
    held = Application.objects.get(state=State.ACCEPTED)
    values = {"iban": "FR1420041010050500013M02606", "bic": "PSSTFRPPMON"}
    change_bank_details(held, by=held.referent, values=values, upload=SimpleUploadedFile("rib.pdf", pdf()))
    return [BankDetails.objects.get().pk]


def an_opinion():
    dossier = Application.objects.filter(state="submitted", establishment__region="76").first()
    ars, ans = User.objects.get(username="ars.occitanie"), User.objects.get(username="ans")
    opinion = ask_opinion(dossier, by=ans, of=ars, question="Les comptes sont-ils certifiés\u00a0?")
    return [dossier.reference, opinion.pk]


def a_phrase():
    owner = User.objects.get(username="ars.occitanie")
    return [Phrase.objects.create(owner=owner, title="RIB", text="Merci de fournir le RIB.").pk]


# --- the table ----------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Wrong:
    """A page, how its form is filled in wrongly, and what the page then says."""

    view: str
    who: str | Callable[[Visitor], None]
    says: str
    typed: dict[str, Any] | None = EMPTY
    """By name of a field, or selector: True, False (boxes), a value. EMPTY: every text is erased."""
    of: Callable[[], list] = list
    """What the address names."""
    button: str | None = ""
    """The one pressed, "" for the last; UNPRESSED for what the script of the page would not let through."""
    sent_to: str = ""
    """The page that answers, when it is another."""

    def __str__(self):
        return f"{self.view} {self.says}"


REFUSED, LENGTHENED = {"[value=refused]": True}, ("establishment", "domain__slug", "step")
REQUIRED, CHOOSE, SHORT = "Renseignez ce champ.", "Choisissez une réponse.", {"message": "court"}
NO_ADDRESS = "Écrivez une adresse e-mail sous la forme nom@exemple.fr."
WRONG_ANSWERS = {
    "account-holder": "x" * 300,
    "iban": "FR7630006000011234567890188",
    "bic": "AGRI",
    "dsi-email": "sans-arobase",
    "signatory-phone": "12",
}
TAKEN = {
    "[name=civility][value=madame]": True,
    "last_name": "Démo",
    "first_name": "Ada",
    "username": "ans",
    "password1": "Montagne-Bleue-77",
    "password2": "Montagne-Bleue-77",
}
UNLIKE = {"password1": "Montagne-Bleue-77", "password2": "Montagne-Verte-77"}
NEW = UNLIKE | {"oldpassword": "Pas-Celui-La-42"}

TABLE = {
    "accounts": [
        Wrong("accounts:register", "anonymous", REQUIRED, button="Suivant"),
        Wrong("accounts:register", registering, "déjà pris", {"username": "chu.montpellier"}, button="Suivant"),
        Wrong("accounts:register", "anonymous", "différents", UNLIKE, button="Suivant"),
        Wrong("accounts:register_establishment", registering, "dans la liste", button="Suivant"),
        Wrong("accounts:resend_activation", "anonymous", NO_ADDRESS, {"email": "sans-arobase"}),
        Wrong("account_login", "anonymous", REQUIRED, button="Se connecter"),
        Wrong("account_login", "anonymous", "incorrect", {"login": "chu.montpellier", "password": "faux"}),
        Wrong("account_sign_in_code", with_password_only, "8 chiffres", {"code": "12"}, button="Valider"),
        Wrong("account_sign_in_code", with_password_only, "Code incorrect", {"code": "00000000"}, button="Valider"),
        Wrong("account_reset_password", "anonymous", NO_ADDRESS, {"email": "sans-arobase"}),
        Wrong("account_reset_password_from_key", "anonymous", "différents", UNLIKE, of=reset_key),
        Wrong("accounts:accept_terms", with_new_terms, "Cochez cette case pour continuer."),
        Wrong("account_change_password", "chu.montpellier", "différents", NEW),
        Wrong("accounts:change_email", "chu.montpellier", NO_ADDRESS, {"email": "sans-arobase", "password": "faux"}),
        Wrong("accounts:accept_invitation", "anonymous", REQUIRED, of=invited),
        Wrong("accounts:accept_invitation", "anonymous", "déjà pris", TAKEN, of=invited),
        Wrong("account_second_factor", before_the_application, "6 chiffres", {"code": "12"}, button="Valider"),
        Wrong("account_second_factor", before_the_application, "Code incorrect", {"code": "000000"}, button="Valider"),
        Wrong("accounts:enrol", "ars.occitanie", "6 chiffres", {"code": "12"}, button="Activer"),
        Wrong("accounts:enrol", "ars.occitanie", "pas le code attendu", {"code": "000000"}, button="Activer"),
        Wrong("accounts:renew_recovery_codes", with_application, "mot de passe actuel", {"password": "faux"}),
        Wrong("accounts:remove_second_factor", with_application, REQUIRED),
        Wrong("accounts:letters", "chu.montpellier", CHOOSE, {"daily": False}),
    ],
    "dossiers": [
        Wrong("applications:start", "eps.garazi", "Choisissez un domaine.", {"domain": False}),
        Wrong(
            "applications:detail", "ch.pau", "clé de contrôle", WRONG_ANSWERS, of=dossier("ch.pau"), button="Suivant"
        ),
        Wrong(
            "applications:detail",
            "ch.beziers",
            "motif est trop long",
            {"[name^='entities:'][name$=':reason']": "x" * 501},
            of=dossier("ch.beziers", "domaine-2"),
            button="Suivant",
        ),
        Wrong(
            "applications:detail",
            "chu.nimes",
            "ligne 1",
            {"expenses:0:amount": "beaucoup", "expenses:0:date": "2001-01-01"},
            of=dossier("chu.nimes", "domaine-2"),
            button="Suivant",
        ),
        Wrong("applications:transfer", "chu.montpellier", "Choisissez le dossier", of=colleague, button=UNPRESSED),
        Wrong(
            "applications:update_contact",
            "chu.montpellier",
            REQUIRED,
            of=dossier("chu.montpellier", "domaine-1", "dsi"),
            button="Enregistrer",
        ),
        Wrong(
            "applications:update_contact",
            "chu.montpellier",
            NO_ADDRESS,
            {"last_name": "https://exemple.fr", "email": "sans-arobase"},
            of=dossier("chu.montpellier", "domaine-1", "rssi"),
            button="Enregistrer",
        ),
        Wrong(
            "applications:request_take_over",
            "collegue.montpellier",
            "trop court",
            {"reason": "court"},
            of=dossier("chu.montpellier"),
        ),
        Wrong("evidence:replace", "clinique.pasteur", "Choisissez d’abord un fichier.", of=sent_file, button=UNPRESSED),
        Wrong(
            "evidence:container",
            "chu.montpellier",
            "Cochez cette case",
            of=with_container(activated=False),
            sent_to="evidence:activate_container",
        ),
        Wrong("conventions:convention", "ch.beziers", "Choisissez un fichier.", of=dossier("ch.beziers")),
        Wrong("evidence:bank_details", "ch.beziers", REQUIRED, of=dossier("ch.beziers")),
        Wrong("evidence:bank_details", "ch.beziers", "BIC", {"bic": "AGRI", "iban": "FR00"}, of=dossier("ch.beziers")),
        Wrong("evidence:containers", "ans", "Choisissez l’archive zip"),
        Wrong(
            "evidence:reissue_container",
            "chu.montpellier",
            "trop court",
            {"reason": "court"},
            of=with_container(activated=True),
        ),
    ],
    "decisions": [
        Wrong("reviews:request_changes", "ars.occitanie", "trop court", SHORT, of=first_in("submitted")),
        Wrong("reviews:reject", "ars.occitanie", "obligatoire", of=first_in("submitted")),
        Wrong("reviews:send_back", "ans", "trop court", SHORT, of=first_in("under_control")),
        Wrong("reviews:reopen", "ans", "trop court", SHORT, of=first_in("rejected")),
        Wrong("reviews:abandon", "ans", "trop court", SHORT, of=first_in("accepted")),
        Wrong("reviews:sign_convention", "ans", REQUIRED, of=first_in("accepted")),
        Wrong("reviews:add_note", "ars.occitanie", "Écrivez la note.", of=first_in("submitted")),
        Wrong("reviews:ask_opinion", "ars.occitanie", "Choisissez l’agent", of=first_in("submitted")),
        Wrong("reviews:give_opinion", "ars.occitanie", "Choisissez un avis.", of=an_opinion),
        Wrong("reviews:pieces", "ars.occitanie", "Dites pourquoi", REFUSED, of=first_in("submitted")),
        Wrong("reviews:add_phrase", "ars.occitanie", "Donnez un titre"),
        Wrong("reviews:edit_phrase", "ars.occitanie", "Écrivez la phrase.", of=a_phrase),
        Wrong("reviews:record_payment", "ans", REQUIRED, of=first_in("validated")),
        Wrong(
            "funding:decide",
            "ans",
            "montant en euros",
            {"line_1_amount": "beaucoup", "line_2_reason": "Hors périmètre"},
            of=dossier("ch.rodez", "domaine-2"),
            button="Enregistrer",
        ),
        Wrong("funding:decide", "ans", "Écrivez pourquoi", {"[value=non]": True}, of=dossier("ch.cahors")),
        Wrong(
            "exports:exports",
            "ans",
            "Choisissez le domaine à archiver.",
            button="Préparer l’archive",
            sent_to="exports:ask_archive",
        ),
        Wrong("evidence:patient_data", "ars.occitanie", "trop court", {"reason": "court"}, of=controlled_file),
        Wrong("evidence:patient_data", "ans", "la purge ne peut pas être annulée", of=controlled_file),
        Wrong("evidence:dismiss_report", "ans", "trop court", {"reason": "court"}, of=reported),
        Wrong("reviews:give_extension", "ans", REQUIRED, of=lambda: Extension.objects.values_list(*LENGTHENED).get()),
        Wrong("reviews:withdraw_extension", "ans", "trop court", SHORT, of=lambda: [Extension.objects.get().pk]),
        Wrong("reviews:refuse_copy", "ans", "trop court", SHORT, of=signed_copy),
        Wrong("reviews:refuse_take_over", "ars.occitanie", "obligatoire", of=take_over),
        Wrong("reviews:refuse_bank_details", "ans", "trop court", SHORT, of=other_bank_details),
    ],
}
# Nothing but a button, or a search: what is wrong there is said otherwise.
WITHOUT_FIELDS = set(
    "home agents legal_notice personal_data accessibility sitemap accounts:registered accounts:challenge"
    " accounts:password_strength applications:answer".split()
)


def test_every_form_has_a_row():
    known = {row.sent_to or row.view for rows in TABLE.values() for row in rows}
    answering = {row.split()[0] for row, answers in POST.items() if "200" in answers}
    assert answering - known == WITHOUT_FIELDS - known


# --- filling in ---------------------------------------------------------------------------------------------------
def fill(form, typed: dict[str, Any] | None) -> None:
    if typed is EMPTY:
        form.locator("input:not([type=hidden], [type=checkbox], [type=radio], [type=file]), textarea").evaluate_all(
            "all => all.forEach(one => { if (!one.readOnly) one.value = '' })"
        )
        return
    for name, value in typed.items():
        control = form.locator(name if name.startswith("[") else f"[name='{name}']")
        if isinstance(value, bool):
            control.evaluate_all(
                "(all, is) => all.slice(0, is ? 1 : all.length).forEach(one => { one.checked = is })", value
            )
        else:
            control.first.fill(value)


def send(page, row: Wrong) -> None:
    form = page.locator("main form[method=post]").first
    fill(form, row.typed)
    if row.button is UNPRESSED:
        form.evaluate("one => one.submit()")
    elif row.button:
        form.get_by_role("button", name=row.button, exact=True).click()
    else:
        form.locator("button[type=submit]").last.click()


# --- what a page in error owes ------------------------------------------------------------------------------------
ABOUT = """
id => {
  const field = document.getElementById(id);
  const said = (one) => (one?.getAttribute("aria-describedby") ?? "").split(" ").filter(Boolean);
  const ids = [...said(field), ...said(field.closest("fieldset"))];
  const found = ids.map((name) => document.getElementById(name));
  return {
    isInvalid: field.getAttribute("aria-invalid") === "true",
    lost: ids.filter((name, rank) => found[rank] === null),
    text: found.filter(Boolean).map((one) => one.textContent).join(" "),
  };
}
"""


def expect_error(page, says: str, where: str) -> None:
    """The title, the summary and its links, each field: what somebody who sees nothing goes by."""
    summary = page.locator("[data-error-summary]")
    expect(summary, where).to_be_focused()
    expect(summary, where).to_contain_text(says)
    assert page.title().startswith(ERROR), (where, page.title())
    lines = summary.locator("li")
    assert lines.count() > 0, where
    for line in lines.all():
        for link in line.get_by_role("link").all():
            identifier = link.get_attribute("href").removeprefix("#")
            target = page.locator(f'[id="{identifier}"]')
            expect(target).to_be_visible()
            about = page.evaluate(ABOUT, identifier)
            sentence = line.inner_text().removeprefix(link.inner_text()).strip("\u00a0: ")
            assert about["isInvalid"], (where, identifier)
            assert about["lost"] == [], (where, identifier)
            assert _plain(sentence) in _plain(about["text"]), (where, identifier, sentence, about["text"])
            link.press("Enter")
            expect(target).to_be_focused()


def _plain(text: str) -> str:  # a cell knows its line, which the summary has to say
    return " ".join(re.sub(r"^ligne \d+\s*:", "", text).split()).lower()


@pytest.mark.parametrize("forms", TABLE)
def test_a_form_in_error_says_so_to_everybody(visitor, forms):
    for row in TABLE[forms]:
        arguments = row.of()
        visitor.become(row.who) if isinstance(row.who, str) else row.who(visitor)
        visitor.go(reverse(row.view, args=arguments))
        assert visitor.here == row.view, (str(row), visitor.page.url)
        assert not visitor.page.title().startswith(ERROR), str(row)
        send(visitor.page, row)
        expect_error(visitor.page, row.says, str(row))
        assert visitor.here == (row.sent_to or row.view), visitor.page.url
        visitor.examine(f"{row} in error", [NARROW])


# --- the pages that answer with an error --------------------------------------------------------------------------
@pytest.mark.urls("tests.look.gallery")
@pytest.mark.parametrize("who", [None, "référent"])
def test_an_error_page_has_no_fault(page, live_server, signed_in, who):
    visitor = Visitor(page, live_server, signed_in)
    visitor.use(signed_in(UserFactory()) if who else Client())
    for address, status, _ in PAGES:
        assert visitor.go(address).status == status
        visitor.examine(address)
    visitor.go("/galerie/")
    page.locator("main form [name=csrfmiddlewaretoken]").evaluate("one => one.remove()")
    page.locator("main form[method=post]").evaluate("one => one.submit()")
    expect(page.get_by_role("heading", level=1)).to_have_text("Ce formulaire a expiré")
    visitor.examine("403_csrf.html")


# --- a file that a space refuses ----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("who", "view", "of"),
    [
        ("ch.pau", "applications:detail", dossier("ch.pau")),
        ("clinique.pasteur", "evidence:replace", sent_file),
    ],
    ids=["put in", "replaced"],
)
def test_a_refused_file_is_said_at_its_space(visitor, who, view, of):
    """As soon as it is chosen."""
    visitor.become(who)
    address = reverse(view, args=of())
    visitor.go(address)
    field = visitor.page.locator("[data-space] input[type=file]:visible").first
    field.set_input_files({"name": "liste.exe", "mimeType": "application/octet-stream", "buffer": b"MZ"})
    expect(field).to_have_attribute("aria-invalid", "true")
    about = visitor.page.evaluate(ABOUT, field.get_attribute("id"))
    assert "n’est pas autorisé ici" in about["text"] and about["lost"] == []
    visitor.examine(f"{address} in error", [NARROW])
