"""What the logs say may be read by whoever runs the portal: it opens no account."""

import logging

import pytest
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from django.test import Client
from django.urls import reverse

from accounts.agents import invite
from accounts.models import Invitation
from ecare.logs import Line
from tests.accounts.steps import secret_of
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def written(caplog) -> str:
    """The records as the handler of the settings writes them."""
    formatters = [handler.formatter for handler in logging.getLogger().handlers]
    (line,) = [formatter for formatter in formatters if isinstance(formatter, Line)]
    return "\n".join(line.format(record) for record in caplog.records)


def test_a_link_of_activation_that_was_refused_is_not_in_the_logs(caplog):
    key = EmailConfirmationHMAC(EmailAddress.objects.get(user=UserFactory(verified=False))).key
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(reverse("account_confirm_email", args=[key])).status_code == 403
    assert "route=account_confirm_email" in written(caplog)
    assert key not in written(caplog)


def test_a_link_to_a_new_password_that_came_too_often_is_not_in_the_logs(caplog, client):
    client.post("/mot-de-passe/", {"email": UserFactory().email})
    uid, _, token = secret_of("password_reset").partition("-")
    address = reverse("account_reset_password_from_key", args=[uid, token])
    assert Client(enforce_csrf_checks=True).post(address).status_code == 403
    assert "route=account_reset_password_from_key" in written(caplog)
    assert token not in written(caplog)


def test_an_invitation_that_was_refused_is_not_in_the_logs(caplog):
    invite(Invitation(email="invitee@ans.example", role="ans"), regions=[], by=None)
    secret = secret_of("invitation")
    address = reverse("accounts:accept_invitation", args=[secret])
    assert Client(enforce_csrf_checks=True).post(address).status_code == 403
    assert "route=accounts:accept_invitation" in written(caplog)
    assert secret not in written(caplog)


@pytest.mark.parametrize("page", ["mot-de-passe/nouveau", "compte/adresse/arreter", "compte/adresse/confirmer"])
def test_nor_in_the_trace_of_a_fault(caplog, page):
    words = f"/{page}/l-abc" + "def/ failed"
    try:
        raise ValueError(words)
    except ValueError:
        logging.getLogger("trial").exception("fault")
    assert "ValueError" in written(caplog)
    assert "abcdef" not in written(caplog)
