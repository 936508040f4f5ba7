"""The scripts of the registration and of the sign-in, in a real browser: they help, and say when they cannot."""

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import expect

from tests.accounts.steps import fill_establishment, fill_person, give_password
from tests.factories import EstablishmentFactory, UserFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def go(page, live_server):
    """Opens a page with the session of a client."""
    complaints = []
    page.on("pageerror", lambda error: complaints.append(str(error)))

    def open_page(client: Client, name: str):
        cookie = client.cookies.get("sessionid")
        if cookie:
            page.context.add_cookies([{"name": "sessionid", "value": cookie.value, "url": live_server.url}])
        page.goto(live_server.url + reverse(name))
        return page

    yield open_page
    assert complaints == []


def test_the_list_answers_while_one_types_and_says_when_it_cannot(go, client):
    wanted, other = EstablishmentFactory(), EstablishmentFactory()
    fill_person(client)
    fill_establishment(client, wanted)
    page = go(client, "accounts:choose_establishment")
    expect(page.locator("#results")).to_contain_text(other.finess)
    page.evaluate("window.isTheSamePage = true")
    page.get_by_label("Rechercher par nom").fill(wanted.finess)
    expect(page.locator("#results")).not_to_contain_text(other.finess)
    expect(page.locator("#results")).to_contain_text(wanted.finess)
    assert page.evaluate("window.isTheSamePage") and wanted.finess in page.url
    page.context.set_offline(True)
    page.get_by_label("Rechercher par nom").fill("ville")
    expect(page.get_by_text("La recherche ne répond pas.")).to_be_visible()
    page.context.set_offline(False)
    page.get_by_label("Rechercher par nom").fill(other.finess)
    expect(page.locator("#results")).to_contain_text(other.finess)
    expect(page.get_by_text("La recherche ne répond pas.")).to_have_count(0)


def test_another_image_and_a_written_question_come_without_losing_what_was_typed(go):
    page = go(Client(), "accounts:register")
    page.get_by_label("Nom d’utilisateur", exact=False).first.fill("jean.sante")
    image = page.locator("img.ecare-challenge")
    first = image.get_attribute("src")
    page.get_by_role("button", name="Changer d’image").click()
    expect(image).not_to_have_attribute("src", first)
    page.get_by_role("button", name="Je ne peux pas lire l’image").click()
    expect(image).to_be_hidden()
    expect(page.get_by_label("Nom d’utilisateur", exact=False).first).to_have_value("jean.sante")


def test_the_seconds_of_a_code_go_down(go, client):
    give_password(client, UserFactory())
    page = go(client, "account_sign_in_code")
    left = page.locator("[data-countdown]").first
    expect(left).to_contain_text("encore 9 min")
    before = left.inner_text()
    expect(left).not_to_have_text(before)
