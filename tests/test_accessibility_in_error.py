"""Every form of the portal in error, as one meets it: the title, a summary that takes the focus and leads to each
field, each field tied to its sentence; no fault that axe finds, at 1,280 and at 320 px.

A new page with a form has no row here until somebody writes one: the last test says so.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page, expect

from accounts.models import TermsAcceptance, User
from applications.models import Application
from applications.people import request_take_over
from applications.states import State
from demo.actions import read_demo
from evidence.models import BankDetails, Evidence
from tests.accounts.steps import fill_person, give_password, secret_of
from tests.browsing import LARGE, Visitor, dossiers_in
from tests.test_typed import FORMS

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# Pages whose form has nothing that can be wrong.
CANNOT_FAIL = {
    "accounts:letters": "one of two buttons, one of them pressed",
    "applications:detail": "in tests below",
    "reviews:accept": "a button",
    "reviews:record_payment": "a button",
    "reviews:accept_take_over": "a button",
    "reviews:confirm_bank_details": "a button",
}


@dataclass
class Wrong:
    """Who opens which page, what they type there, which button they press; `fields`: those that the summary names."""

    person: str
    address: str
    fields: int
    typed: dict[str, str] = field(default_factory=dict)
    button: str = ""


def send(visitor: Visitor, wrong: Wrong) -> Page:
    page = visitor.page
    page.set_viewport_size(LARGE)
    page.goto(visitor.address + wrong.address)
    form = page.locator("main form[method=post]").first
    form.locator("input:not([type=hidden]):not([type=checkbox]):not([type=radio]):not([type=file])").evaluate_all(
        "all => all.forEach(one => { if (!one.readOnly) one.value = '' })"
    )
    for name, text in wrong.typed.items():
        form.locator(f"[name='{name}']").fill(text)
    named = form.get_by_role("button", name=wrong.button, exact=True)
    button = (named if wrong.button else form.locator("[type=submit]")).last
    if button.is_enabled() and button.is_visible():
        button.click()
    else:  # a script waits for a choice, or sends the file as soon as it is chosen
        form.evaluate("one => one.submit()")
    return page


def check(visitor: Visitor, where: str, fields: int) -> None:
    """What a page in error owes to whoever reads it, or hears it read."""
    page = visitor.page
    summary = page.locator("[data-error-summary]")
    expect(summary).to_be_focused()
    expect(page).to_have_title(re.compile("^Erreur\u00a0: "))
    links = summary.get_by_role("link").all()
    assert len(links) == fields, (where, summary.inner_text())
    for link in links:
        target = page.locator(f"[id='{link.get_attribute('href').removeprefix('#')}']")
        expect(target, where).to_be_visible()
        check_told(page, target, where)
        link.click()
        expect(target, where).to_be_focused()
    visitor.examine(f"{where} in error")


def check_told(page: Page, target, where: str) -> None:
    """The field is marked wrong, and described, itself or by the group that it opens, by its sentence."""
    expect(target.locator("xpath=ancestor-or-self::*[@aria-invalid='true']"), where).not_to_have_count(0)
    described = target.locator("xpath=ancestor-or-self::*[@aria-describedby]").all()
    names = " ".join(one.get_attribute("aria-describedby") for one in described).split()
    told = [page.locator(f"[id='{name}']") for name in names]
    assert any(sentence.locator(".fr-message--error, .fr-error-text").count() for sentence in told), where


def dossier_of(username: str) -> Application:
    return Application.objects.filter(referent__username=username).order_by("pk").first()


# --- the forms ----------------------------------------------------------------------------------------------------
def for_a_visitor() -> list[Wrong]:
    person = {"username": "a b", "email": "jean@exemple", "password1": "court", "password2": "autre", "phone": "12"}
    return [
        Wrong("anonymous", reverse("accounts:register"), 8, person, "Suivant"),
        Wrong("anonymous", reverse("account_login"), 2),
        Wrong("anonymous", reverse("account_login"), 1, {"login": "chu.montpellier", "password": "x"}),
        Wrong("anonymous", reverse("account_reset_password"), 1, {"email": "jean@exemple"}),
        Wrong("anonymous", reverse("accounts:resend_activation"), 1, {"email": "jean@exemple"}),
    ]


def for_a_referent() -> list[Wrong]:
    own, accepted = dossier_of("chu.montpellier"), Application.objects.get(state=State.ACCEPTED)
    colleague = User.objects.get(username="collegue.montpellier")
    changed = Application.objects.get(state=State.CHANGES_REQUESTED)
    sent = Evidence.objects.filter(application=changed).first()
    wrong_bank = {"account-holder": "", "iban": "FR76 0000", "bic": "ABC"}
    contact = {"last_name": "", "first_name": "Inès", "email": "ines"}
    return [
        Wrong("chu.montpellier", reverse("account_change_password"), 3),
        Wrong("chu.montpellier", reverse("accounts:change_email"), 2, {"email": "camille@"}),
        Wrong("chu.montpellier", reverse("applications:update_contact", args=[own.reference, "rssi"]), 2, contact),
        Wrong("chu.montpellier", reverse("applications:transfer", args=[colleague.pk]), 1),
        Wrong("collegue.montpellier", reverse("applications:request_take_over", args=[own.reference]), 1),
        Wrong("eps.garazi", reverse("applications:start"), 1),
        Wrong(accepted.referent.username, reverse("evidence:bank_details", args=[accepted.reference]), 4, wrong_bank),
        Wrong(changed.referent.username, reverse("evidence:replace", args=[sent.file_id]), 1),
    ]


def for_an_agent() -> list[Wrong]:
    submitted, controlled, accepted = (dossiers_in(s)[0] for s in ("submitted", "under_control", "accepted"))
    rejected = dossiers_in("rejected")[0]
    held = dossier_of("chu.montpellier")
    colleague = User.objects.get(username="collegue.montpellier")
    asked = request_take_over(held, by=colleague, reason="La référente a quitté l’établissement.")
    rib = Evidence.objects.filter(application=accepted).first().file
    bank = BankDetails.objects.create(application=accepted, by=accepted.referent, values={}, file=rib)
    short = {"message": "Non."}
    return [
        Wrong("ars.occitanie", reverse("reviews:request_changes", args=[submitted.reference]), 1),
        Wrong("ars.occitanie", reverse("reviews:reject", args=[submitted.reference]), 1, short),
        Wrong("ars.occitanie", reverse("reviews:refuse_take_over", args=[asked.pk]), 1, short),
        Wrong("ans", reverse("reviews:refuse_bank_details", args=[bank.pk]), 1),
        Wrong("ans", reverse("reviews:sign_convention", args=[accepted.reference]), 2),
        Wrong("ans", reverse("reviews:abandon", args=[accepted.reference]), 1),
        Wrong("ans", reverse("reviews:send_back", args=[controlled.reference]), 1, short),
        Wrong("ans", reverse("reviews:reopen", args=[rejected.reference]), 1),
        Wrong("ans", reverse("evidence:containers"), 2),
    ]


@pytest.mark.parametrize("forms", [for_a_visitor, for_a_referent, for_an_agent])
def test_a_form_in_error_says_so_to_everybody(visitor, forms):
    for wrong in forms():
        visitor.become(wrong.person)
        send(visitor, wrong)
        check(visitor, wrong.address, wrong.fields)


def test_the_steps_of_a_registration_in_error(visitor):
    client = Client()
    fill_person(client, email="nouveau@exemple.fr", username="nouveau")
    visitor.use(client)
    where = reverse("accounts:register_establishment")
    send(visitor, Wrong("", where, 2, button="Suivant"))
    check(visitor, where, 2)


def test_the_steps_of_a_sign_in_in_error(visitor):
    client, person = Client(), User.objects.get(username="chu.montpellier")
    give_password(client, person, password=read_demo()["password"])
    visitor.use(client)
    for code in ("", "ABCDEF"):
        send(visitor, Wrong("", reverse("account_sign_in_code"), 1, {"code": code}, "Valider"))
        check(visitor, reverse("account_sign_in_code"), 1)
    visitor.become(person.username)
    TermsAcceptance.objects.filter(user=person).delete()
    send(visitor, Wrong("", reverse("accounts:accept_terms"), 1))
    check(visitor, reverse("accounts:accept_terms"), 1)
    forgetful = Client()
    forgetful.post(reverse("account_reset_password"), {"email": person.email})
    visitor.use(forgetful)
    where = reverse("account_reset_password_from_key", args=secret_of("password_reset").split("-", 1))
    send(visitor, Wrong("", where, 1, {"password1": "Montagne-Bleue-77", "password2": "Montagne-Verte-77"}))
    check(visitor, where, 1)


def test_a_container_in_error(visitor):
    """Neither box ticked, then no reason given."""
    own = dossier_of("chu.montpellier")
    where = reverse("evidence:container", args=[own.reference, "d1-o1-container"])
    visitor.become("chu.montpellier").client.post(where)
    send(visitor, Wrong("", where, 1))
    check(visitor, reverse("evidence:activate_container", args=[own.reference, "d1-o1-container"]), 1)
    visitor.page.get_by_role("checkbox").check(force=True)
    visitor.page.get_by_role("button", name="Activer").click()
    where = reverse("evidence:reissue_container", args=[own.reference, "d1-o1-container"])
    send(visitor, Wrong("", where, 1))
    check(visitor, where, 1)


# --- the form of a dossier ----------------------------------------------------------------------------------------
def press(page: Page, name: str) -> None:
    """With the whole page, as without script."""
    page.get_by_role("button", name=name, exact=True).last.click()


def test_the_form_of_a_dossier_in_error(visitor):
    dossier = Application.objects.get(domain__slug="domaine-1", state=State.DRAFT)
    where = reverse("applications:detail", args=[dossier.reference])
    page = visitor.become(dossier.referent.username).page
    page.set_viewport_size(LARGE)
    page.goto(visitor.address + where)
    for name, text in {"iban": "FR76 0000", "bic": "ABC", "dsi-email": "claire", "signatory-phone": "12"}.items():
        page.locator(f"[name={name}]").fill(text)
    press(page, "Suivant")
    check(visitor, where, 4)


def test_a_list_of_expenses_and_one_of_entities_in_error(visitor):
    dossier = Application.objects.get(domain__slug="domaine-2", state=State.DECLARATION_OPEN)
    where = reverse("applications:detail", args=[dossier.reference])
    page = visitor.become(dossier.referent.username).page
    page.set_viewport_size(LARGE)
    page.goto(visitor.address + where)
    lines = page.locator("[name$=':0:date'], [name*='expenses'][name$='date']").first
    lines.fill("2025-07-15")
    press(page, "Suivant")
    check(visitor, where, 1)


def test_every_form_of_the_portal_is_seen_in_error():
    """The pages of tests/test_typed.py, which finds them in the table of addresses."""
    source = Path(__file__).read_text()
    wanted = {row.split()[0] for row in FORMS} - set(CANNOT_FAIL)
    assert [name for name in sorted(wanted) if f'reverse("{name}"' not in source] == []
