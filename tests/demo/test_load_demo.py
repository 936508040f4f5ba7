"""The demo is led by the same verbs as everybody’s dossiers: if it loads, the whole path holds."""

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from applications.models import Application
from applications.states import State
from demo.actions import read_demo
from ecare.journal.actions import broken_links
from ecare.journal.models import Chain
from evidence.models import Container

pytestmark = pytest.mark.django_db


def test_the_demo_has_every_role_every_state_and_a_sound_history():
    call_command("load_demo", verbosity=0)
    assert set(Application.objects.values_list("state", flat=True)) == set(State.values)
    assert set(User.objects.values_list("role", flat=True)) == set(User.Role.values)
    assert not User.objects.filter(is_superuser=True).exists()
    demo = read_demo()
    pool = Container.objects.in_pool()
    assert pool.filter(domain__slug="domaine-1", objective="D1.O1").count() == demo["containers"]["each"]
    for account in demo["accounts"]:
        assert User.objects.get(username=account["username"]).check_password(demo["password"])
    assert [fault for chain in Chain.objects.all() for fault in broken_links(chain.subject)] == []
    with pytest.raises(CommandError):  # a database in use stays as it is
        call_command("load_demo", verbosity=0)
