"""The demo is led by the same verbs as everybody’s dossiers: if it loads, the whole path holds."""

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from applications.models import Application
from applications.states import State
from demo.actions import read_demo
from ecare.journal.actions import broken_links
from ecare.journal.models import Chain
from evidence.models import StoredFile

pytestmark = pytest.mark.django_db


@pytest.fixture
def demo():
    call_command("load_demo", verbosity=0)
    return read_demo()


def test_the_demo_has_every_role_and_a_dossier_in_every_state(demo):
    assert set(Application.objects.values_list("state", flat=True)) == set(State.values)
    assert set(User.objects.values_list("role", flat=True)) == set(User.Role.values)
    assert not User.objects.filter(is_superuser=True).exists()
    for account in demo["accounts"]:
        assert User.objects.get(username=account["username"]).check_password(demo["password"])


def test_the_demo_leaves_a_sound_history_and_sealed_files(demo):
    assert [fault for chain in Chain.objects.all() for fault in broken_links(chain.subject)] == []
    for file in StoredFile.objects.all()[:3]:
        assert file.size > 0 and len(file.sha256) == 64


def test_the_demo_refuses_a_database_in_use(demo):
    with pytest.raises(CommandError):
        call_command("load_demo", verbosity=0)
