"""Without `ECARE_EMBEDDED` nothing of the demo is there, and what is missing or weak stops the start."""

import base64
import os
import subprocess
import sys

import pytest

from tests.portal import ROOT

GIVEN = {
    "SECRET_KEY": "une-suite-de-caractères-tirée-au-sort-0123456789-abcdefghij",
    "ECARE_VAULT_KEYS": "2026:" + base64.b64encode(bytes(range(32))).decode(),
    "ALLOWED_HOSTS": "convergence.exemple.fr",
    "ECARE_ADDRESS": "https://convergence.exemple.fr",
    "DATABASE_URL": "postgres://ecare@127.0.0.1:1/ecare",
    "EMAIL_URL": "smtp://127.0.0.1:1",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "ECARE_SCANNER": "clamd:///run/clamav/clamd.ctl",
    "ECARE_STORAGE": "file:///srv/ecare/vault",
}
ASK = """
import django
django.setup()
from django.conf import settings
from django.urls import Resolver404, resolve
try:
    resolve("/boite-aux-lettres/")
except Resolver404:
    print("no mailbox")
print("demo" in settings.INSTALLED_APPS, settings.DEBUG, settings.EMAIL_BACKEND)
print(settings.SESSION_COOKIE_NAME, settings.SESSION_COOKIE_SECURE, settings.SESSION_COOKIE_HTTPONLY)
print(settings.CSRF_COOKIE_NAME, settings.CSRF_COOKIE_SECURE, settings.CSRF_COOKIE_HTTPONLY)
"""


def run(*command, folder, **changes):
    """A command with these variables and no other; None takes one away."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    variables = kept | GIVEN | {"ECARE_DATA": str(folder), "DJANGO_SETTINGS_MODULE": "ecare.settings"} | changes
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={name: value for name, value in variables.items() if value is not None},
        capture_output=True,
        text=True,
        check=False,
    )


def last_line(done) -> str:
    assert done.returncode != 0
    return done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize("name", GIVEN)
def test_what_is_missing_stops_the_start(tmp_path, name):
    done = run("-c", "import ecare.wsgi", folder=tmp_path, **{name: None})
    assert f"Set {name}: eCaRE does not start without it" in last_line(done)
    assert not list(tmp_path.iterdir()), "no key is made up"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "courte"),
        ("SECRET_KEY", "a" * 60),
        ("ECARE_VAULT_KEYS", "2026"),
        ("ECARE_VAULT_KEYS", "2026:" + base64.b64encode(b"trop court").decode()),
        ("ALLOWED_HOSTS", "*"),
        ("ECARE_ADDRESS", "http://convergence.exemple.fr"),
        ("ECARE_TOTP_REQUIRED_FOR", "ans,referent"),
        ("ECARE_SCANNER", "127.0.0.1:3310"),
        ("ECARE_SCANNER", "tcp://127.0.0.1:3310"),
        ("ECARE_SCANNER", "clamd://127.0.0.1"),
        ("ECARE_SCANNER", "clamd://127.0.0.1:trois"),
        ("ECARE_SCANNER", "clamd://127.0.0.1:3310/socket"),
        ("ECARE_STORAGE", "/srv/ecare/vault"),
        ("ECARE_STORAGE", "s3://vault?endpoint=http://objets.exemple.fr"),
        ("ECARE_STORAGE", "s3://vault?endpoint=https://objets.exemple.fr"),
        ("ECARE_AUDITOR", "personne"),
    ],
)
def test_what_is_weak_stops_the_start(tmp_path, name, value):
    assert name in last_line(run("-c", "import ecare.wsgi", folder=tmp_path, **{name: value}))


@pytest.mark.parametrize(
    ("given", "obliged"),
    [(None, "['administrator', 'ans']"), ("ars,ans,administrator", "['administrator', 'ans', 'ars']"), ("", "[]")],
)
def test_who_must_have_a_second_factor(tmp_path, given, obliged):
    ask = "from django.conf import settings; print(sorted(settings.SECOND_FACTOR_REQUIRED_FOR))"
    assert run("-c", ask, folder=tmp_path, ECARE_TOTP_REQUIRED_FOR=given).stdout.strip() == obliged


def test_the_check_of_a_deployment_finds_nothing(tmp_path):
    done = run("manage.py", "check", "--deploy", "--fail-level", "INFO", folder=tmp_path)
    assert done.returncode == 0, done.stderr


def test_nothing_of_the_demo_is_there(tmp_path):
    done = run("-c", ASK, folder=tmp_path)
    assert done.stdout.splitlines() == [
        "no mailbox",
        "False False django.core.mail.backends.smtp.EmailBackend",
        "__Host-session True True",
        "__Host-csrf True True",
    ]
