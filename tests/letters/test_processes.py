"""The outbox under kill, freeze and absence: worker, beat and broker are processes of their own (PostgreSQL alone)."""

import time
from datetime import timedelta

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from deploy.portal import Beat, Worker
from deploy.processes import NotStarted, wait_for
from deploy.valkey import Valkey
from ecare.letters.models import Letter
from tests.workers import variables

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="other processes write to the same database"),
]
SOON = 40  # seconds; a worker that lost its broker asks again after 2, 4, 6 … seconds


class Cast:
    """Who may play, started by the test and ended after it."""

    def __init__(self, folder, sink):
        self.folder, self.sink = folder, sink
        self.valkey = Valkey(folder / "valkey")
        given = variables(folder, EMAIL_URL=f"smtp://127.0.0.1:{sink.port}", REDIS_URL=self.valkey.url)
        self.beat = Beat(folder / "beat", given)
        self.workers = [Worker(folder / name, given, name=name, concurrency=1) for name in ("first", "second")]

    @property
    def first(self):
        return self.workers[0]

    @property
    def second(self):
        return self.workers[1]

    def wait_for_mails(self, count):
        self._wait(lambda: len(self.sink.mails) >= count, f"{count} mails")

    def wait_for_state(self, letter, state):
        self._wait(lambda: Letter.objects.filter(pk=letter.pk, state=state).exists(), state)

    def _wait(self, condition, what):
        try:
            wait_for(condition, what=what, seconds=SOON)
        except NotStarted:
            said = "\n\n".join(server.said() for server in (self.beat, *self.workers))
            pytest.fail(f"{what} did not come\n{said}")

    def end(self):
        for server in (self.beat, *self.workers, self.valkey):
            if server.is_running:
                server.thaw()
            server.kill()


@pytest.fixture
def cast(tmp_path, sink):
    sink.start()
    found = Cast(tmp_path, sink)
    yield found
    found.end()


def let_the_lease_run_out(letter):
    """Two minutes later."""
    Letter.objects.filter(pk=letter.pk).update(leased_until=timezone.now() - timedelta(seconds=1))


def assert_one_letter_came_twice(cast, letter):
    assert [mail["Message-ID"] for mail in cast.sink.mails] == [letter.message_id] * 2
    found = Letter.objects.get(pk=letter.pk)
    assert (found.state, found.may_be_doubled, found.lease) == (Letter.State.SENT, True, None)


def test_a_worker_killed_between_the_answer_and_our_mark_doubles_one_letter_and_it_is_listed(cast, write, admin):
    """The protection against the loss is the lease; what makes the copies one is the Message-ID of the row."""
    cast.valkey.start()
    cast.first.start()
    cast.sink.meanwhile = cast.first.freeze  # it never reads « 250 »
    letter, untouched = write(), write(recipient="claude@exemple.fr", send_after=timezone.now() + timedelta(hours=1))
    cast.beat.start()
    cast.wait_for_mails(1)
    cast.first.kill()
    cast.sink.meanwhile = None
    taken = Letter.objects.get(pk=letter.pk)
    assert taken.state == Letter.State.SENDING and taken.begun_at
    let_the_lease_run_out(letter)
    cast.second.start()
    cast.wait_for_state(letter, Letter.State.SENT)
    assert_one_letter_came_twice(cast, letter)
    listed = admin.get(reverse("admin:letters_letter_changelist"), {"anomalie": "deux-fois"}).text
    assert letter.recipient in listed and untouched.recipient not in listed
    assert (
        letter.message_id
        in admin.get(reverse("admin:letters_letter_change", args=[letter.pk]))
        .context["adminform"]
        .form.instance.message_id
    )


def test_a_worker_frozen_beyond_its_lease_comes_back_and_changes_nothing(cast, write):
    """The protection is that each mark asks for the lease that the worker had."""
    cast.valkey.start()
    cast.first.start()
    cast.sink.meanwhile = cast.first.freeze
    letter = write()
    cast.beat.start()
    cast.wait_for_mails(1)
    cast.sink.meanwhile = None
    let_the_lease_run_out(letter)
    cast.second.start()
    cast.wait_for_state(letter, Letter.State.SENT)
    sent = Letter.objects.get(pk=letter.pk)
    cast.first.thaw()
    other = write(recipient="claude@exemple.fr")
    cast.wait_for_state(other, Letter.State.SENT)
    time.sleep(1)  # what the first one does with what it had
    assert Letter.objects.get(pk=letter.pk).sent_at == sent.sent_at
    cast.sink.mails = [mail for mail in cast.sink.mails if mail["To"] == letter.recipient]
    assert_one_letter_came_twice(cast, letter)


def test_letters_wait_while_the_broker_is_frozen_or_gone_and_leave_when_it_is_back(cast, write):
    """The rows are the protection: the broker only wakes, and may forget."""
    cast.valkey.start()
    cast.first.start()
    cast.beat.start()
    cast.wait_for_state(write(), Letter.State.SENT)

    cast.valkey.freeze()
    waiting = write()
    time.sleep(3)
    assert Letter.objects.get(pk=waiting.pk).state == Letter.State.QUEUED
    cast.valkey.thaw()
    cast.wait_for_state(waiting, Letter.State.SENT)

    cast.valkey.kill()
    lost_with_it = write()
    time.sleep(2)
    assert cast.first.is_running and cast.beat.is_running, cast.first.said() + cast.beat.said()
    cast.valkey.start()  # empty
    cast.wait_for_state(lost_with_it, Letter.State.SENT)
    assert len(cast.sink.mails) == 3


def test_letters_wait_for_a_beat_or_a_worker_that_is_absent_and_are_said_to_be_late(cast, write):
    cast.valkey.start()
    letter = write()
    cast.first.start()
    time.sleep(1)
    assert Letter.objects.get(pk=letter.pk).state == Letter.State.QUEUED
    late = timezone.now() + timedelta(minutes=16)
    assert list(Letter.objects.stuck(late)) == [letter]
    cast.beat.start()
    cast.wait_for_state(letter, Letter.State.SENT)
    assert not Letter.objects.stuck(late).exists()
    cast.first.kill()
    other = write()
    time.sleep(2)  # beat ticks to nobody
    assert list(Letter.objects.stuck(late)) == [other]
    cast.second.start()
    cast.wait_for_state(other, Letter.State.SENT)
