"""Registrations and activations that arrive together: the database has the last word."""

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password

from accounts import actions
from accounts.models import User
from ecare.letters.models import Letter
from tests.factories import EstablishmentFactory
from tests.racing import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def _person(**changes):
    told = {"username": "jean.sante", "email": "jean@exemple.fr", "civility": "monsieur"}
    return actions.Person(**(told | {"first_name": "Jean", "last_name": "Santé", "phone": "+33612345678"} | changes))


def _register(person):
    """For an establishment of their own: only the constraints can stand between two of them."""
    establishment = EstablishmentFactory()
    return lambda: actions.register(person, password_hash=make_password("x"), establishment=establishment)


def test_of_two_people_with_one_name_the_first_has_it():
    people = [_person(email=f"jean{rank}@exemple.fr") for rank in range(4)]
    outcomes = at_once(*[_register(person) for person in people], refusals=(actions.UsernameTaken,))
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["NoneType"] + ["UsernameTaken"] * 3
    assert User.objects.count() == EmailAddress.objects.count() == Letter.objects.count() == 1


def test_of_two_people_with_one_email_one_account_is_left():
    people = [_person(username=f"jean{rank}") for rank in range(4)]
    assert at_once(*[_register(person) for person in people]) == [None] * 4
    assert User.objects.count() == EmailAddress.objects.count() == 1
    assert Letter.objects.filter(name="activation", state="queued", recipient="jean@exemple.fr").count() == 1


def test_an_account_activated_meanwhile_is_never_replaced():
    for rank in range(6):
        first = _person(username=f"premier{rank}", email=f"jean{rank}@exemple.fr")
        _register(first)()
        address = EmailAddress.objects.get(email=first.email)
        second = _person(username=f"second{rank}", email=first.email)
        outcomes = at_once(lambda address=address: actions.activate(address), _register(second))
        left = User.objects.get(email=first.email)
        is_active = EmailAddress.objects.get(user=left).verified
        assert (left.username == first.username) == is_active == (True in outcomes)
