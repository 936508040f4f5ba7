"""Files that a stranger pushes at pages which ask for none."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from evidence import uploads

pytestmark = pytest.mark.django_db


@pytest.fixture
def spools(monkeypatch):
    """The spools that were opened on the disk of the server."""
    opened = []

    class Spool(uploads.Spool):
        def __init__(self):
            super().__init__()
            opened.append(self)

    monkeypatch.setattr(uploads, "Spool", Spool)
    return opened


@pytest.mark.parametrize("name", ["account_login", "accounts:register", "account_reset_password", "home"])
def test_a_stranger_s_file_fills_no_disk(name, spools):
    client = Client(enforce_csrf_checks=True)
    client.get(reverse("account_login"))
    token = client.cookies["csrftoken"].value
    data = {"csrfmiddlewaretoken": token, "login": SimpleUploadedFile("x.bin", b"x" * 300_000)}
    assert client.post(reverse(name), data).status_code < 500
    assert not spools
