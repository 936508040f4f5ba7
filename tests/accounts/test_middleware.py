"""The doors that every page stands behind."""

import pytest
from django.test import Client

from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def test_a_session_opened_without_the_code_is_nobody():
    client = Client()
    client.force_login(UserFactory(), backend="allauth.account.auth_backends.AuthenticationBackend")
    response = client.get("/administration/")
    assert response.status_code == 302


def test_the_fixture_opens_a_whole_session(signed_in):
    client = signed_in(UserFactory(administrator=True))
    assert client.get("/administration/").status_code == 200
