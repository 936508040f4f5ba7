"""What every test has: its own folders, a fast password hasher, a browser."""

import os
import shutil
import sqlite3

import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone
from django_otp import DEVICE_ID_SESSION_KEY
from playwright.sync_api import expect

from accounts.models import BROWSER, OPENED_AT, SEEN_AT, SignInCode, Terms, TermsAcceptance
from tests.browsing import Visitor
from tests.factories import UserFactory
from tests.stores import bucket, object_store, own_store, store  # noqa: F401
from tests.tampering import let_the_tests_empty_the_journal

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 60_000  # milliseconds: a loaded machine is slow, not wrong


def pytest_configure(config):
    expect.set_options(timeout=PATIENCE)
    # A real hash costs 200 ms; the tests of sign-in need none of its strength.
    django_settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup):
    let_the_tests_empty_the_journal()


@pytest.fixture(autouse=True)
def own_folders(settings, tmp_path):
    """The vault and the mailbox of one test."""
    settings.DATA_DIR = tmp_path
    settings.MAILBOX_DIR = tmp_path / "mail"
    settings.ANCHORS_DIR = tmp_path / "anchors"
    vault = settings.STORAGES["default"]
    settings.STORAGES = settings.STORAGES | {
        "default": vault | {"OPTIONS": vault["OPTIONS"] | {"location": str(tmp_path / "vault")}}
    }


@pytest.fixture(autouse=True)
def own_cache(request):
    """The cache lives in the database: a rollback empties it, but a test that commits must do so itself."""
    marker = request.node.get_closest_marker("django_db")
    commits = "transactional_db" in request.fixturenames or (marker is not None and marker.kwargs.get("transaction"))
    if commits:
        request.getfixturevalue("transactional_db")
    yield
    if commits:
        cache.clear()


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    """Debian's Chromium, or the one that CHROMIUM names."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.fail("No Chromium: install Debian's chromium, or name one in CHROMIUM.")
    return browser_type_launch_args | {"executable_path": path, "args": CHROMIUM_ARGUMENTS}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args):
    return browser_context_args | {"locale": "fr-FR", "timezone_id": "Europe/Paris"}


@pytest.fixture
def signed_in(db):
    """`signed_in(user)`: a client whose session passed the password and each code, terms in force accepted."""

    def open_session(user):
        client = Client()
        client.force_login(user, backend="accounts.backends.ActivatedBackend")
        session = client.session
        attempt = SignInCode.objects.create(user=user, second_factor_at=user.second_factor_since)
        session[DEVICE_ID_SESSION_KEY] = attempt.persistent_id
        session[OPENED_AT] = session[SEEN_AT] = timezone.now().timestamp()
        session[BROWSER] = "Firefox sous Linux"
        session.save()
        terms = Terms.objects.in_force()
        if terms:
            TermsAcceptance.objects.get_or_create(user=user, terms=terms)
        return client

    return open_session


@pytest.fixture
def administrator(db):
    return UserFactory(administrator=True)


@pytest.fixture
def admin(administrator, signed_in):
    """A browser at which an administrator is signed in."""
    return signed_in(administrator)


@pytest.fixture(scope="session")
def loaded_demo(tmp_path_factory):
    """The demo as it was first loaded by this process: a copy of its database and of its vault, both empty at first."""
    kept = sqlite3.connect(":memory:", check_same_thread=False)
    yield kept, tmp_path_factory.mktemp("demo") / "vault"
    kept.close()


def load_once(loaded, settings, load):
    """`loaded`: where the database and the vault are copied to when `load` has filled them, and from ever after."""
    kept, vault = loaded
    here = settings.STORAGES["default"]["OPTIONS"]["location"]
    connection.ensure_connection()
    if vault.exists():
        kept.backup(connection.connection)
        shutil.copytree(vault, here)
    else:
        load()
        connection.connection.backup(kept)
        shutil.copytree(here, vault)


@pytest.fixture
def demo(request, db, settings, loaded_demo):
    """Where a test commits on SQLite, as those with a browser do, the demo is loaded once and then copied."""
    if connection.vendor != "sqlite" or "transactional_db" not in request.fixturenames:
        call_command("load_demo", verbosity=0)
        return
    load_once(loaded_demo, settings, lambda: call_command("load_demo", verbosity=0))


@pytest.fixture
def visitor(request, page, live_server, signed_in, demo):
    """Somebody at a browser, on the demo; what the test claims to walk (`walks`) was really opened."""
    found = Visitor(page, live_server, signed_in)
    yield found
    assert found.complaints == []
    assert getattr(request.function, "walked", set()) - found.seen == set()


@pytest.fixture(scope="session")
def base_url():
    """Takes the place of pytest-base-url's own, which pytest 9 warns about."""
    return ""
