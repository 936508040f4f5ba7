import pytest
from django.utils import timezone

from ecare.letters import actions
from ecare.letters.models import Letter
from ecare.sealing import seal

pytestmark = pytest.mark.django_db


def test_the_letters_that_became_untrue_are_withdrawn(write):
    untrue = write(name="changes_requested", secret=seal(b"x", purpose="letter"))
    other_name = write(name="submitted")
    other_subject = write(name="changes_requested", subject="application:AUTREDOSSI")
    assert actions.cancel("application:VEHCXTRMWL", ["changes_requested", "accepted"]) == 1
    untrue = Letter.objects.get(pk=untrue.pk)
    assert untrue.state == Letter.State.CANCELLED and untrue.secret is None
    for kept in (other_name, other_subject):
        assert Letter.objects.get(pk=kept.pk).state == Letter.State.QUEUED


def test_a_letter_on_its_way_or_gone_is_not_called_back(write):
    on_its_way = write()
    actions.claim(timezone.now())
    gone = write(state=Letter.State.SENT, sent_at=timezone.now())
    assert actions.cancel("application:VEHCXTRMWL", ["submitted"]) == 0
    assert Letter.objects.get(pk=on_its_way.pk).state == Letter.State.SENDING
    assert Letter.objects.get(pk=gone.pk).state == Letter.State.SENT
