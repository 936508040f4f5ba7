"""A submission while the mail server is down: nothing waits, nothing is lost."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from applications.models import Application
from applications.states import State
from ecare.letters import actions
from ecare.letters.models import Letter
from tests.factories import ApplicationFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_a_candidature_sent_while_the_mail_server_is_down_is_told_to_everybody_later(sink, signed_in):
    sink.start()
    application = ApplicationFactory()
    agent = UserFactory(ars=True, regions=[application.establishment.region])
    client = signed_in(application.referent)
    sink.stop()

    answer = client.post(reverse("applications:submit", args=[application.reference]), {"version": application.version})
    actions.deliver()

    assert answer.url == reverse("applications:submitted", args=[application.reference])
    assert Application.objects.get().state == State.SUBMITTED
    assert set(Letter.objects.values_list("name", "state")) == {("submitted", "queued"), ("to_review", "queued")}

    sink.start()
    assert actions.deliver(timezone.now() + timedelta(minutes=1)) == 2
    assert {mail["To"] for mail in sink.mails} == {application.referent.email, agent.email}
    assert {mail["Message-ID"] for mail in sink.mails} == {letter.message_id for letter in Letter.objects.all()}
