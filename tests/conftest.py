"""What every test may ask for."""

import pytest
from django.test import Client
from django.utils import timezone
from django_otp import DEVICE_ID_SESSION_KEY

from accounts.middleware import OPENED_AT, SEEN_AT
from accounts.models import SignInCode, Terms, TermsAcceptance


@pytest.fixture
def signed_in(db):
    """`signed_in(user)`: a client whose session passed the password and the code, terms in force accepted."""

    def open_session(user):
        client = Client()
        client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        session = client.session
        session[DEVICE_ID_SESSION_KEY] = SignInCode.objects.create(user=user).persistent_id
        session[OPENED_AT] = session[SEEN_AT] = timezone.now().timestamp()
        session.save()
        terms = Terms.objects.in_force()
        if terms:
            TermsAcceptance.objects.get_or_create(user=user, terms=terms)
        return client

    return open_session
