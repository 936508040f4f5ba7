"""What people do to enter, as tests/races/test_faults.py does with the rest: whatever row is refused, nothing stays.

What is counted against guesses is no part of it: a wrong code stays counted (tests/attacks/test_guesses.py).
"""

import pytest
from django.test import Client

from accounts.agents import invite
from accounts.mailboxes import correct_email
from accounts.models import Invitation, OpenSession
from tests.accounts.steps import (
    NEW_PASSWORD,
    enrolled,
    fill_establishment,
    fill_person,
    give_code,
    give_password,
    register,
    secret_of,
    shown,
)
from tests.accounts.test_invite import typed as typed_by_the_invited
from tests.accounts.test_second_factor import ENROL, REMOVE, RENEW, key_on
from tests.factories import PASSWORD, EstablishmentFactory, RegionFactory, UserFactory
from tests.faults import Writes
from tests.races.refusing import assert_nothing_stays

pytestmark = pytest.mark.django_db


def registration(signed_in):
    client = Client()
    fill_person(client)
    fill_establishment(client, EstablishmentFactory())
    return client, "/inscription/recapitulatif/", {}


def registration_over_one_never_activated(signed_in):
    establishment = EstablishmentFactory()
    register(Client(), establishment)
    return registration(signed_in)


def activation(signed_in):
    register(Client(), EstablishmentFactory())
    return Client(), f"/activation/{secret_of('activation')}/", {}


def password(signed_in):
    return Client(), "/connexion/", {"login": UserFactory().username, "password": PASSWORD}


def code(signed_in):
    client = Client()
    give_password(client, UserFactory())
    return client, "/connexion/code/", {"code": secret_of("code")}


def another_code(signed_in):
    client, user = Client(), UserFactory()
    give_password(client, user)
    user.signincode_set.update(last_generated_timestamp=None)
    return client, "/connexion/code/", {"resend": "1"}


def application_code(signed_in):
    client, user = Client(), UserFactory(ars=True)
    key, _codes = enrolled(user)
    give_password(client, user)
    give_code(client, secret_of("code"))
    return client, "/connexion/double-authentification/", {"code": shown(key)}


def recovery_code(signed_in):
    client, user = Client(), UserFactory(ars=True)
    _key, codes = enrolled(user)
    give_password(client, user)
    give_code(client, secret_of("code"))
    return client, "/connexion/double-authentification/?secours", {"code": codes[0]}


def new_password(signed_in):
    client = Client()
    client.post("/mot-de-passe/", {"email": UserFactory().email})
    address = client.get(f"/mot-de-passe/nouveau/{secret_of('password_reset')}/")["Location"]
    return client, address, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}


def email_confirmed(signed_in):
    """The second of the two mailboxes."""
    client = signed_in(UserFactory())
    client.post("/compte/adresse/", {"email": "neuve@exemple.fr", "password": PASSWORD})
    client.post(f"/compte/adresse/confirmer/{secret_of('email_change_requested')}/")
    return client, f"/compte/adresse/confirmer/{secret_of('email_change_to_confirm')}/", {}


def correction_stopped(signed_in):
    by = UserFactory(administrator=True)
    correct_email(UserFactory(), by=by, email="neuve@exemple.fr", reason="Messagerie perdue.")
    return Client(), f"/compte/adresse/arreter/{secret_of('email_correction_to_stop')}/", {}


def invitation(signed_in):
    invite(Invitation(email="ada@ars.example", role="ars"), regions=[RegionFactory()], by=None)
    return Client(), f"/invitation/{secret_of('invitation')}/", typed_by_the_invited()


def enrolment(signed_in):
    client = signed_in(UserFactory(ars=True))
    return client, ENROL, {"code": shown(key_on(client.get(ENROL)))}


def renewal(signed_in):
    user = UserFactory(ars=True)
    enrolled(user)
    return signed_in(user), RENEW, {"password": PASSWORD}


def removal(signed_in):
    user = UserFactory(ars=True)
    key, _codes = enrolled(user)
    return signed_in(user), REMOVE, {"password": PASSWORD, "code": shown(key)}


def other_session(signed_in):
    user = UserFactory()
    client, _other = signed_in(user), signed_in(user)
    [other] = OpenSession.others_of(user, client.cookies["sessionid"].value)
    return client, f"/compte/sessions/{other.public_name}/fermer/", {}


DEEDS = [
    registration, registration_over_one_never_activated, activation, password, code, another_code, application_code,
    recovery_code, new_password, email_confirmed, correction_stopped, invitation, enrolment, renewal, removal,
    other_session,
]  # fmt: skip


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.__name__)
def test_whatever_row_is_refused_nothing_stays(signed_in, deed):
    client, address, sent = deed(signed_in)
    assert assert_nothing_stays(deed.__name__, Writes(), client, address, sent) > 1


@pytest.mark.parametrize("address", ["/activation/renvoyer/", "/mot-de-passe/"])
def test_a_letter_that_is_asked_for_is_all_that_is_written(signed_in, address):
    sent = {"email": UserFactory().email}
    assert assert_nothing_stays(address, Writes(), Client(), address, sent) == 1
