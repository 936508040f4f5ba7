"""A session that ends while a form is being filled, in a real browser: said loudly, and nothing typed is lost."""

import re

import pytest
from django.contrib.sessions.backends.base import SessionBase
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import SEEN_AT, SignInCode
from applications.models import Application, values_of
from tests.accounts.steps import secret_of
from tests.browsing import faults, is_too_wide
from tests.factories import PASSWORD, ApplicationFactory, FormFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SCREENS = [{"width": 1280, "height": 900}, {"width": 390, "height": 844}]
CONTACT = {"last_name": "Lenoir", "first_name": "Inès", "email": "ines.lenoir@exemple.fr"}
SAVED = re.compile(r"Enregistré à")


@pytest.fixture
def dossier():
    form = FormFactory(questions=[{"key": "name", "label": "Titulaire"}, {"key": "why", "kind": "long_text"}])
    return ApplicationFactory(domain=form.domain, candidature_form=form)


@pytest.fixture
def session(signed_in, dossier) -> SessionBase:
    return signed_in(dossier.referent).session


def opened(context, live_server, session, dossier):
    context.add_cookies([{"name": "sessionid", "value": session.session_key, "url": live_server.url}])
    page = context.new_page()
    page.goto(live_server.url + reverse("applications:detail", args=[dossier.reference]))
    return page


def expire(session):
    session[SEEN_AT] = timezone.now().timestamp() - 3 * 60 * 60
    session.save()


def sign_in(page, dossier):
    page.locator("[name=login]").fill(dossier.referent.username)
    page.locator("[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Se connecter").click()
    expect(page.get_by_label("Code transmis")).to_be_visible()
    assert SignInCode.objects.filter(user=dossier.referent).exists()
    page.get_by_label("Code transmis").fill(secret_of("code"))
    page.get_by_role("button", name="Valider").click()
    page.wait_for_load_state()


def values(dossier):
    return values_of(Application.objects.get(pk=dossier.pk))


def fill(page, key, text):
    page.locator(f"[name={key}]").fill(text)
    page.locator(f"[name={key}]").blur()


@pytest.mark.parametrize("screen", SCREENS, ids=lambda s: str(s["width"]))
@pytest.mark.parametrize("end", ["expired", "revoked"])
def test_saving_resumes_once_signed_in_again_in_another_tab(context, live_server, session, dossier, end, screen):
    page = opened(context, live_server, session, dossier)
    page.set_viewport_size(screen)
    fill(page, "name", "CH de la Ville")
    expect(page.locator("#question-name [data-saving]")).to_have_text(SAVED)
    expire(session) if end == "expired" else session.flush()
    fill(page, "name", "CH du Port")
    alarm = page.locator(".ecare-alarm")
    expect(alarm).to_contain_text("Votre session a pris fin.")
    expect(alarm).to_be_in_viewport()
    expect(page.locator("#question-name [data-saving]")).to_contain_text("Non enregistré.")
    assert faults(page) == []
    assert not is_too_wide(page)
    with context.expect_page() as opening:
        alarm.get_by_role("link", name="Se reconnecter").click()
    sign_in(opening.value, dossier)
    expect(page.locator("#question-name [data-saving]")).to_have_text(SAVED)
    expect(alarm).to_be_hidden()
    expect(page.locator("[name=name]")).to_have_value("CH du Port")
    assert values(dossier)["name"] == "CH du Port"
    fill(page, "why", "Une raison")
    expect(page.locator("#question-why [data-saving]")).to_have_text(SAVED)


def test_what_a_tab_could_not_save_comes_back_when_its_page_does(context, live_server, session, dossier):
    page = opened(context, live_server, session, dossier)
    page.on("dialog", lambda dialog: dialog.accept())
    session.flush()
    fill(page, "name", "CH du Port")
    expect(page.locator(".ecare-alarm")).to_be_visible()
    page.reload()
    expect(page.get_by_text("votre session a pris fin")).to_be_visible()
    sign_in(page, dossier)
    expect(page.locator("[name=name]")).to_have_value("CH du Port")
    expect(page.locator("#question-name [data-saving]")).to_have_text(SAVED)
    assert values(dossier)["name"] == "CH du Port"
    assert page.evaluate("sessionStorage.length") == 0


def test_without_script_what_was_sent_comes_back_after_signing_in(browser, live_server, session, dossier):
    with browser.new_context(java_script_enabled=False) as context:
        page = opened(context, live_server, session, dossier)
        page.locator("[name=name]").fill("CH du Port")
        expire(session)
        page.get_by_role("button", name="Suivant").click()
        expect(page.get_by_text("Ce que vous aviez saisi est conservé")).to_be_visible()
        sign_in(page, dossier)
        expect(page.get_by_text("est revenu dans le formulaire")).to_be_visible()
        expect(page.locator("[name=name]")).to_have_value("CH du Port")
        expect(page.locator("#question-name")).to_contain_text("Pas encore enregistré")
        assert "name" not in values(dossier)
        page.get_by_role("button", name="Suivant").click()
        expect(page.get_by_text("Pas encore enregistré")).to_have_count(0)
        assert values(dossier)["name"] == "CH du Port"


@pytest.mark.parametrize("has_script", [True, False])
def test_a_contact_typed_as_the_session_ended_comes_back(browser, live_server, session, dossier, has_script):
    """From the dialog of the form, or, without script, from the page behind it."""
    with browser.new_context(java_script_enabled=has_script, viewport=SCREENS[0]) as context:
        page = opened(context, live_server, session, dossier)
        page.get_by_role("link", name="Modifier les contacts").click()
        page.get_by_role("link", name="Modifier le contact DSI").click()
        box = page.locator("#contact-dsi" if has_script else "main")
        box.get_by_text("Madame").click()
        for name, text in CONTACT.items():
            box.locator(f"[name={name}]").fill(text)
        expire(session)
        box.get_by_role("button", name="Enregistrer").click()
        expect(page.get_by_text("Ce que vous aviez saisi est conservé")).to_be_visible()
        sign_in(page, dossier)
        assert page.url.endswith(reverse("applications:update_contact", args=[dossier.reference, "dsi"]))
        expect(page.get_by_text("n’est pas encore enregistré")).to_be_visible()
        expect(page.get_by_role("main").locator("[name=first_name]")).to_have_value("Inès")
        if has_script:
            assert faults(page) == [] and not is_too_wide(page)
        assert not dossier.contacts.exclude(last_name="").exists()
        page.get_by_role("button", name="Enregistrer").click()
        expect(page.get_by_text("Les coordonnées du contact DSI sont enregistrées.")).to_be_visible()
    assert dossier.contacts.get(role="dsi").last_name == "Lenoir"


def test_somebody_else_who_signs_in_here_is_told_and_saves_nothing(context, live_server, session, dossier, signed_in):
    page = opened(context, live_server, session, dossier)
    other = signed_in(ApplicationFactory().referent).session
    context.add_cookies([{"name": "sessionid", "value": other.session_key, "url": live_server.url}])
    fill(page, "name", "CH du Port")
    expect(page.locator(".ecare-alarm")).to_contain_text("n’est pas accessible avec le compte connecté")
    assert "name" not in values(dossier)


def test_who_signs_out_leaves_nothing_in_the_tab(context, live_server, session, dossier):
    page = opened(context, live_server, session, dossier)
    page.on("dialog", lambda dialog: dialog.accept())
    page.route("**/reponses/**", lambda route: route.abort())
    fill(page, "name", "CH du Port")
    expect(page.locator(".ecare-alarm")).to_be_visible()
    assert page.evaluate("sessionStorage.length") == 1
    page.goto(live_server.url + reverse("account_logout"))
    page.get_by_role("main").get_by_role("button", name="Se déconnecter").click()
    expect(page.get_by_text("Vous êtes déconnecté.")).to_be_visible()
    assert page.evaluate("sessionStorage.length") == 0
