"""Registrations and activations that arrive together: the database has the last word."""

import threading

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.db import connection

from accounts import actions
from accounts.models import User
from ecare.letters.models import Letter
from tests.factories import EstablishmentFactory

pytestmark = pytest.mark.django_db(transaction=True)


def _person(**changes):
    told = {"username": "jean.sante", "email": "jean@exemple.fr", "civility": "monsieur"}
    return actions.Person(**(told | {"first_name": "Jean", "last_name": "Santé", "phone": "+33612345678"} | changes))


def _together(*calls):
    """Run them at once; what each returned or raised."""
    outcomes, start = [], threading.Barrier(len(calls))

    def run(call):
        start.wait()
        try:
            outcomes.append(call())
        except actions.UsernameTaken as error:
            outcomes.append(type(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[call]) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def _register(person):
    """For an establishment of their own: only the constraints can stand between two of them."""
    establishment = EstablishmentFactory()
    return lambda: actions.register(person, password_hash=make_password("x"), establishment=establishment)


def test_of_two_people_with_one_name_the_first_has_it():
    people = [_person(email=f"jean{rank}@exemple.fr") for rank in range(4)]
    outcomes = _together(*[_register(person) for person in people])
    assert sorted(map(str, outcomes)) == ["<class 'accounts.actions.UsernameTaken'>"] * 3 + ["None"]
    assert User.objects.count() == EmailAddress.objects.count() == Letter.objects.count() == 1


def test_of_two_people_with_one_email_one_account_is_left():
    people = [_person(username=f"jean{rank}") for rank in range(4)]
    assert _together(*[_register(person) for person in people]) == [None] * 4
    assert User.objects.count() == EmailAddress.objects.count() == 1
    assert Letter.objects.filter(name="activation", state="queued", recipient="jean@exemple.fr").count() == 1


def test_an_account_activated_meanwhile_is_never_replaced():
    for rank in range(6):
        first = _person(username=f"premier{rank}", email=f"jean{rank}@exemple.fr")
        _register(first)()
        address = EmailAddress.objects.get(email=first.email)
        second = _person(username=f"second{rank}", email=first.email)
        outcomes = _together(lambda address=address: actions.activate(address), _register(second))
        left = User.objects.get(email=first.email)
        is_active = EmailAddress.objects.get(user=left).verified
        assert (left.username == first.username) == is_active == (True in outcomes)
