import pytest
from django.utils import timezone

from ecare.letters import actions
from ecare.letters.models import SECRET_MARK, Letter

pytestmark = pytest.mark.django_db


def test_a_letter_is_sent_again_as_a_new_one(write):
    first = write(state=Letter.State.SENT, sent_at=timezone.now(), attempts=3)
    again = actions.resend(first)
    assert again.pk != first.pk and again.message_id != first.message_id
    assert (again.state, again.attempts, again.sent_at) == (Letter.State.QUEUED, 0, None)
    assert (again.subject, again.recipient, again.text) == (first.subject, first.recipient, first.text)


def test_a_letter_that_carried_a_secret_is_never_sent_again(write):
    first = write(text=f"Code : {SECRET_MARK}", state=Letter.State.SENT, sent_at=timezone.now())
    with pytest.raises(actions.CannotResend):
        actions.resend(first)
    assert Letter.objects.count() == 1
