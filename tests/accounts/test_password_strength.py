"""The rules of a new password, told while it is typed: the very ones that decide when the form is sent."""

import re

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from playwright.sync_api import expect

from accounts import passwords
from accounts.models import User
from tests.browsing import faults, is_too_wide
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
PERSON = {"username": "jean.sante", "email": "jean.sante@exemple.fr", "first_name": "Jean", "last_name": "Santé"}
PASSWORDS = {
    "": "Trop court : encore 12 caractères.",
    "Montagne-B1": "Trop court : encore 1 caractère.",
    "849302817465": "Pas encore accepté : une règle n’est pas suivie.",
    "jean.sante@exemple": "Pas encore accepté : une règle n’est pas suivie.",
    "Motdepasse-2026!": "Pas encore accepté : une règle n’est pas suivie.",
    "1q2w3e4r5t6y": "Pas encore accepté : une règle n’est pas suivie.",
    "Montagne-Bl7": "Accepté. Plus long, il serait plus solide.",
    "Montagne-Bleue77": "Solide.",
    "tortue lampe wagon fenouil": "Très solide.",
}


@pytest.mark.parametrize(("password", "verdict"), PASSWORDS.items())
def test_what_is_told_is_what_is_decided(client, password, verdict):
    told = client.post(reverse("accounts:password_strength"), {"password1": password, **PERSON}).json()
    try:
        validate_password(password, User(**PERSON))
        is_accepted = True
    except ValidationError:
        is_accepted = False
    assert all(rule["is_met"] for rule in told["rules"]) == is_accepted
    assert told["verdict"] == verdict


def test_each_rule_is_told_by_itself(client):
    told = client.post(reverse("accounts:password_strength"), {"password1": "84930281", **PERSON}).json()
    assert [rule["is_met"] for rule in told["rules"]] == [False, False, True, True]
    assert [rule["text"] for rule in told["rules"]] == passwords.rules()


def test_it_knows_who_is_signed_in(signed_in):
    client = signed_in(UserFactory(username="camille.durand"))
    told = client.post(reverse("accounts:password_strength"), {"password1": "camille.durand"}).json()
    assert told["rules"][2]["is_met"] is False


def test_of_somebody_unknown_it_does_not_tell_what_it_cannot_know(client):
    told = client.post(reverse("accounts:password_strength"), {"password1": "Montagne-Bleue77"}).json()
    assert [rule["is_met"] for rule in told["rules"]] == [True, True, None, True]


def test_the_rules_stand_in_the_page(client, signed_in):
    page = client.get(reverse("accounts:register")).content.decode()
    for rule in passwords.rules():
        assert rule in page
    assert passwords.rules()[0] in signed_in(UserFactory()).get("/compte/mot-de-passe/").content.decode()


def test_another_site_cannot_ask():
    browser = Client(enforce_csrf_checks=True)
    assert browser.post(reverse("accounts:password_strength"), {"password1": "x"}).status_code == 403


def test_it_is_not_asked_without_end(client, settings):
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {"password_strength": "2/5m/ip"}
    statuses = [client.post(reverse("accounts:password_strength"), {"password1": "x"}).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("width", [1280, 390])
def test_rules_are_ticked_as_one_types(page, live_server, width):
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(live_server.url + reverse("accounts:register"))
    rules, verdict = page.locator("[data-rule]"), page.locator("[data-verdict]")
    page.locator("[name=username]").fill("jean.sante")
    page.locator("[name=password1]").press_sequentially("jean.sante")
    expect(verdict).to_have_text("Trop court : encore 2 caractères.")
    expect(rules.nth(1)).to_have_class(re.compile("met"))
    expect(rules.nth(2)).to_contain_text("(pas encore)")
    page.locator("[name=password1]").fill("tortue lampe wagon fenouil")
    expect(verdict).to_have_text("Très solide.")
    expect(page.locator(".ecare-password-rules__met")).to_have_count(4)
    assert faults(page) == []
    assert not is_too_wide(page)
