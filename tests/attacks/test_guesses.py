"""Somebody who has the password and guesses the code, or guesses the password, with many hands at once.

The protections: the person's row is locked while a code is looked at, `tries_left` and `FAILED_CODES_PER_DAY` of
`accounts/actions.py`, and the limits of `ACCOUNT_RATE_LIMITS`, which count per name however it is spelled.
"""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core.cache import cache
from django.db.models import Sum
from django.test import Client
from django.utils import timezone

from accounts.models import SignInCode
from tests.accounts.steps import give_code, give_password, secret_of
from tests.counts import few_or_all
from tests.factories import PASSWORD, UserFactory
from tests.racing import at_once

pytestmark = pytest.mark.django_db(transaction=True)
GUESSES = few_or_all(25, 200)
HANDS = few_or_all(25, 50)  # at once; a server takes so many connections


def another(code: str, rank: int) -> str:
    return f"{(int(code) + 1 + rank) % 10**8:08d}"


def in_turns(deeds: list) -> list:
    """All of them, so many at a time."""
    return [answer for first in range(0, len(deeds), HANDS) for answer in at_once(*deeds[first : first + HANDS])]


def from_elsewhere(rank: int, cookies=None) -> Client:
    """A hand at another address."""
    browser = Client(REMOTE_ADDR=f"198.51.{rank // 250}.{rank % 250 + 1}")
    if cookies is not None:
        browser.cookies = cookies
    return browser


def half(user) -> Client:
    """A browser at which the password was given."""
    client = Client()
    assert give_password(client, user)["Location"] == "/connexion/code/"
    return client


def failures(user) -> int:
    return SignInCode.objects.filter(user=user).aggregate(found=Sum("failures"))["found"] or 0


def test_of_all_guesses_at_one_sign_in_five_are_looked_at():
    user, innocent = UserFactory(), UserFactory()
    client = half(user)
    code = secret_of("code", to=user.email)

    def guess(rank):
        return lambda: give_code(from_elsewhere(rank, client.cookies), another(code, rank)).text

    def enter():
        browser = half(innocent)
        return give_code(browser, secret_of("code", to=innocent.email))

    *pages, entered = in_turns([*[guess(rank) for rank in range(GUESSES - 1)], enter])
    assert sum("Code incorrect" in page for page in pages) == 5
    assert all("Code incorrect" in page or "n’est plus valable" in page for page in pages)
    assert failures(user) == 5
    assert give_code(client, code).status_code == 200, "the right one comes too late"
    assert entered["Location"] == "/tableau-de-bord/", "somebody else enters meanwhile"


def test_over_all_sign_ins_of_a_day_ten_are_looked_at():
    user = UserFactory()
    for _ in range(6):
        client = half(user)
        code = secret_of("code", to=user.email)

        def guess(rank, client=client, code=code):
            return lambda: give_code(from_elsewhere(rank, client.cookies), another(code, rank))

        at_once(*[guess(rank) for rank in range(6)])
        cache.clear()  # the limits of an address are not what stops them
    assert failures(user) == 10
    last = half(user)
    assert "Trop de codes erronés" in give_code(last, secret_of("code", to=user.email)).text
    with time_machine.travel(timezone.now() + timedelta(hours=24, minutes=1)):
        later = half(user)
        assert give_code(later, secret_of("code", to=user.email)).status_code == 302


def test_variants_of_a_name_are_one_name_however_many_hands(monkeypatch):
    """Of one address five passwords are looked at in five minutes."""
    user, innocent, looked_at = UserFactory(username="jean.sante"), UserFactory(), []
    verify = MD5PasswordHasher.verify
    monkeypatch.setattr(
        MD5PasswordHasher,
        "verify",
        lambda self, password, encoded: looked_at.append(password) or verify(self, password, encoded),
    )
    names = ["jean.sante", "JEAN.SANTE", " jean.sante", "Jean.Sante ", "jean.ſante"]

    def guess(rank):
        return lambda: give_password(Client(), user, login=names[rank % len(names)], password=f"Faux-{rank}").text

    pages = in_turns([guess(rank) for rank in range(GUESSES)])
    assert sum("Identifiant ou mot de passe incorrect" in page for page in pages) <= 5
    assert len([one for one in looked_at if one != PASSWORD]) <= 5
    assert "Trop d’essais" in give_password(Client(), user).text
    assert give_password(Client(), innocent)["Location"] == "/connexion/code/"
    assert give_password(from_elsewhere(1), user)["Location"] == "/connexion/code/", "their owner is elsewhere"
