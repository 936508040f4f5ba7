"""Nobody learns from outside who has an account: the same words, the same status, and the same work behind them.

Hashes of passwords are what takes long (200 ms each): their number is the same. The rest is a few statements, of which
some more or less stay under a millisecond (`NEAR`). The protections: `ActivatedBackend` hashes once whoever is named,
each letter that is asked for has its twin for a mailbox without account, and a taken e-mail registers as a free one.
"""

import re

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.accounts.steps import fill_establishment, fill_person
from tests.factories import EstablishmentFactory, UserFactory

pytestmark = pytest.mark.django_db
NEAR = 4  # statements
WRONG = "Faux-Mot-De-Passe-9"


@pytest.fixture
def hashed(monkeypatch):
    """Each hash that is computed."""
    found, encode = [], MD5PasswordHasher.encode

    def count(self, *args, **options):
        found.append(1)
        return encode(self, *args, **options)

    monkeypatch.setattr(MD5PasswordHasher, "encode", count)
    return found


@pytest.fixture
def emails():
    """Of somebody who has an account, who never activated it, whose account is closed, and of nobody."""
    UserFactory(username="zk1", email="zk1@exemple.fr")
    UserFactory(username="zk2", email="zk2@exemple.fr", verified=False)
    UserFactory(username="zk3", email="zk3@exemple.fr", is_active=False)
    return ["zk1@exemple.fr", "zk2@exemple.fr", "zk3@exemple.fr", "zk4@exemple.fr"]


def seen(response, typed: str) -> tuple:
    """What a stranger sees; what they typed and what is drawn for each page apart."""
    page = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", response.content.decode()).replace(typed, "")
    return response.status_code, response.get("Location"), page


def work(hashed, ask) -> tuple:
    """The answer, how many statements and how many hashes it took; asked by somebody whom no limit stops yet."""
    cache.clear()
    hashed.clear()
    with CaptureQueriesContext(connection) as asked:
        response = ask()
    return response, len(asked.captured_queries), len(hashed)


def assert_same(found: dict[str, tuple]) -> None:
    assert len({seen(response, typed) for typed, (response, _, _) in found.items()}) == 1
    counts = {typed: statements for typed, (_, statements, _) in found.items()}
    assert max(counts.values()) - min(counts.values()) <= NEAR, counts
    hashes = {typed: count for typed, (_, _, count) in found.items()}
    assert len(set(hashes.values())) == 1, hashes


def test_a_sign_in_with_a_wrong_password(emails, hashed):
    Client().post("/connexion/", {"login": "amorce", "password": WRONG})  # what is kept between requests
    logins = [*emails, *(email.partition("@")[0] for email in emails), "ZK1@EXEMPLE.FR", " zk1 "]
    found = {
        login: work(hashed, lambda login=login: Client().post("/connexion/", {"login": login, "password": WRONG}))
        for login in logins
    }
    assert_same(found)
    assert {count for _, _, count in found.values()} == {1}


@pytest.mark.parametrize("address", ["/mot-de-passe/", "/activation/renvoyer/"])
def test_a_letter_that_is_asked_for(emails, hashed, address):
    Client().post(address, {"email": "amorce@exemple.fr"})
    assert_same({
        email: work(hashed, lambda email=email: Client().post(address, {"email": email})) for email in emails
    })  # fmt: skip


def test_a_registration_at_each_of_its_steps(hashed, emails):
    establishment, steps = EstablishmentFactory(), {}
    for rank, email in enumerate(["zk1@exemple.fr", "zk3@exemple.fr", "zk4@exemple.fr"]):
        client = Client()
        first = work(hashed, lambda: fill_person(client, email=email, username=f"curieux{rank}"))  # noqa: B023
        second = work(hashed, lambda: fill_establishment(client, establishment))  # noqa: B023
        last = work(hashed, lambda: client.post("/inscription/recapitulatif/"))  # noqa: B023
        end = work(hashed, lambda: client.get("/inscription/fin/"))  # noqa: B023
        steps[email] = first, second, last, end
    for each in zip(*steps.values(), strict=True):
        assert_same(dict(zip(steps, each, strict=True)))
