"""Letters leave the outbox: none lost, none doubled, no secret kept."""

import socket
import time
from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.utils import timezone

from ecare.celery import app
from ecare.letters import actions, tasks
from ecare.letters.models import SECRET_MARK, Letter
from ecare.sealing import seal
from tests.racing import at_once

pytestmark = pytest.mark.django_db


def later(**delay):
    return timezone.now() + timedelta(**delay)


def test_a_letter_leaves_in_text_and_html(sink, write):
    sink.start()
    letter = write()
    assert actions.deliver() == 1
    [received] = sink.mails
    assert received["To"] == "camille@exemple.fr" and received["Subject"] == "Candidature reçue"
    assert received["Message-ID"] == letter.message_id
    assert "Votre dossier est arrivé." in received.get_body(("plain",)).get_content()
    assert "<p>Votre dossier est arrivé.</p>" in received.get_body(("html",)).get_content()
    letter = Letter.objects.get()
    assert letter.state == Letter.State.SENT and letter.sent_at and letter.lease is None


def test_no_letter_is_lost_while_the_mail_server_is_down(sink, write):
    letter = write()
    assert actions.deliver() == 0
    waiting = Letter.objects.get()
    assert waiting.state == Letter.State.QUEUED and waiting.attempts == 0 and waiting.error
    sink.start()
    assert actions.deliver() == 0, "it is not tried again at once"
    assert actions.deliver(later(minutes=1)) == 1
    assert [received["Message-ID"] for received in sink.mails] == [letter.message_id]
    assert Letter.objects.get().state == Letter.State.SENT


def test_an_outage_never_makes_a_letter_fail(sink, write):
    write()
    for minutes in range(actions.MAX_ATTEMPTS + 5):
        actions.deliver(later(minutes=minutes))
    assert Letter.objects.get().state == Letter.State.QUEUED


def test_a_refusal_for_now_is_tried_again_later_and_later_under_one_message_id(sink, write):
    sink.start()
    sink.refusals["camille@exemple.fr"] = "451 Try again later"
    letter = write()
    pauses = []
    for _ in range(3):
        now = Letter.objects.get().send_after
        with time_machine.travel(now, tick=False):
            actions.deliver()
        pauses.append((Letter.objects.get().send_after - now).total_seconds())
    assert pauses == [15, 30, 60]
    waiting = Letter.objects.get()
    assert (waiting.state, waiting.attempts, waiting.error) == (Letter.State.QUEUED, 3, "SMTPRecipientsRefused 451")
    sink.refusals.clear()
    assert actions.deliver(waiting.send_after) == 1
    assert sink.mails[0]["Message-ID"] == letter.message_id


def test_the_last_refusal_for_now_makes_it_fail(sink, write):
    sink.start()
    sink.refusals["camille@exemple.fr"] = "451 Try again later"
    write(attempts=actions.MAX_ATTEMPTS - 1, secret=seal(b"x", purpose="letter"))
    actions.deliver()
    letter = Letter.objects.get()
    assert letter.state == Letter.State.FAILED and letter.secret is None


def test_a_refusal_for_good_fails_at_once_and_holds_up_nobody(sink, write):
    sink.start()
    sink.refusals["inconnue@exemple.fr"] = "550 No such user"
    write(recipient="inconnue@exemple.fr")
    write()
    assert actions.deliver() == 1
    failed = Letter.objects.get(recipient="inconnue@exemple.fr")
    assert (failed.state, failed.error) == (Letter.State.FAILED, "SMTPRecipientsRefused 550")


def test_an_impossible_address_holds_up_nobody(sink, write):
    sink.start()
    write(recipient="a@b\nBcc: tous@exemple.fr")
    write()
    assert actions.deliver() == 1
    assert [received["To"] for received in sink.mails] == ["camille@exemple.fr"]


def test_the_secret_goes_in_only_when_the_letter_leaves_and_is_erased_then(sink, write):
    sink.start()
    write(text=f"Code : {SECRET_MARK}", html=f"<p>{SECRET_MARK}</p>", secret=seal(b"4815<1623", purpose="letter"))
    assert actions.deliver() == 1
    [received] = sink.mails
    assert "Code : 4815<1623" in received.get_body(("plain",)).get_content()
    assert "<p>4815&lt;1623</p>" in received.get_body(("html",)).get_content()
    letter = Letter.objects.get()
    assert letter.secret is None and "4815" not in letter.text + letter.html


def test_the_secret_survives_an_outage(sink, write):
    write(text=f"Code : {SECRET_MARK}", secret=seal(b"48151623", purpose="letter"))
    actions.deliver()
    sink.start()
    actions.deliver(later(minutes=1))
    assert "48151623" in sink.mails[0].get_body(("plain",)).get_content()


def test_a_secret_whose_key_is_gone_never_leaves(sink, write):
    sink.start()
    write(secret=b"\x04gone" + bytes(40))
    assert actions.deliver() == 0
    letter = Letter.objects.get()
    assert (letter.state, letter.error, letter.secret) == (Letter.State.FAILED, "KeyLost", None)
    assert sink.mails == []


def test_an_expired_letter_is_cancelled_and_its_secret_erased(write):
    write(expires_at=later(minutes=10), secret=seal(b"48151623", purpose="letter"), send_after=later(minutes=5))
    actions.deliver()
    assert Letter.objects.get().state == Letter.State.QUEUED
    actions.deliver(later(minutes=10))
    letter = Letter.objects.get()
    assert letter.state == Letter.State.CANCELLED and letter.secret is None
    assert mail.outbox == []


def test_a_letter_waits_for_its_hour(write):
    write(send_after=later(hours=1))
    assert actions.deliver() == 0
    assert actions.deliver(later(hours=2)) == 1


def test_the_lease_of_a_dead_worker_expires(write):
    write()
    now = timezone.now()
    [taken] = actions.claim(now)  # and the worker dies here
    assert actions.deliver(now + actions.LEASE / 2) == 0
    assert actions.deliver(now + actions.LEASE + timedelta(seconds=1)) == 1
    assert [sent.extra_headers["Message-ID"] for sent in mail.outbox] == [taken.message_id]


def test_a_worker_that_comes_back_too_late_changes_nothing(write):
    write()
    now = timezone.now()
    [taken] = actions.claim(now)
    actions.deliver(now + actions.LEASE * 2)
    actions._mark(taken, state=Letter.State.FAILED, error="late")
    assert Letter.objects.get().state == Letter.State.SENT


def test_a_tick_sends_several_batches_over_one_connection_each(sink, write, monkeypatch):
    monkeypatch.setattr(actions, "BATCH", 3)
    sink.start()
    for _ in range(7):
        write()
    tasks.deliver()
    assert len(sink.mails) == 7
    assert not Letter.objects.exclude(state=Letter.State.SENT).exists()


def test_a_slow_server_gives_the_rest_of_the_batch_back(write, monkeypatch):
    monkeypatch.setattr(actions, "BATCH_SECONDS", -1)
    write()
    assert actions.deliver() == 0
    letter = Letter.objects.get()
    assert letter.state == Letter.State.QUEUED and letter.lease is None


def test_an_idle_outbox_writes_nothing(django_assert_num_queries):
    with django_assert_num_queries(2):
        actions.deliver()


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_send_one_letter_twice(sink, write, monkeypatch):
    monkeypatch.setattr(actions, "BATCH", 2)
    sink.start()
    letters = [write() for _ in range(12)]

    def work():
        for _ in range(12):
            actions.deliver()

    at_once(*[work] * 4)
    received = [mail["Message-ID"] for mail in sink.mails]
    assert sorted(received) == sorted(letter.message_id for letter in letters)


# --- a mail that breaks off ---------------------------------------------------------------------------------------
def test_a_server_that_says_nothing_keeps_the_letter_waiting_and_no_worker_for_long(settings, write):
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, and answers nothing
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = silent.getsockname()
        settings.EMAIL_TIMEOUT = 0.3
        write()
        begun = time.monotonic()
        assert actions.deliver() == 0
        assert time.monotonic() - begun < 5
    letter = Letter.objects.get()
    assert (letter.state, letter.attempts, letter.may_be_doubled) == (Letter.State.QUEUED, 0, False)
    assert letter.error == "SMTPServerDisconnected"


def test_a_slow_server_gets_each_letter_once(sink, write):
    sink.start()
    sink.meanwhile = lambda: time.sleep(0.3)
    letters = [write() for _ in range(3)]
    assert actions.deliver() == 3
    assert sorted(mail["Message-ID"] for mail in sink.mails) == sorted(letter.message_id for letter in letters)


def test_a_conversation_cut_after_the_mail_was_given_is_begun_again_and_the_doubt_is_kept(sink, write, settings):
    """The server took it and never said so: the same Message-ID, and a mark in the outbox."""
    settings.EMAIL_TIMEOUT = 0.5
    sink.start()
    sink.meanwhile = lambda: time.sleep(1)
    letter = write()
    assert actions.deliver() == 0
    assert Letter.objects.get().may_be_doubled
    sink.meanwhile = None
    assert actions.deliver(later(minutes=1)) == 1
    assert [mail["Message-ID"] for mail in sink.mails] == [letter.message_id] * 2
    assert Letter.objects.get().may_be_doubled


def test_a_refusal_leaves_no_doubt(sink, write):
    sink.start()
    sink.refusals["camille@exemple.fr"] = "451 Try again later"
    write()
    actions.deliver()
    assert not Letter.objects.get().may_be_doubled


def test_of_the_batch_of_a_dead_worker_only_what_it_had_begun_is_in_doubt(write):
    begun, waiting = write(), write()
    now = timezone.now()
    first, _second = actions.claim(now)
    actions._begin(first)  # and the worker dies here
    assert actions.deliver(now + actions.LEASE * 2) == 2
    assert list(Letter.objects.filter(may_be_doubled=True)) == [begun]
    assert Letter.objects.get(pk=waiting.pk).state == Letter.State.SENT


def test_a_worker_that_slept_over_its_lease_does_not_begin(write):
    """Else it would send, of the batch that it held, what another worker has sent by now."""
    write()
    now = timezone.now()
    [taken] = actions.claim(now)
    with time_machine.travel(now + actions.LEASE + timedelta(seconds=1)):
        assert not actions._send_one(taken, mail.get_connection())
    assert mail.outbox == []


def test_a_worker_waits_for_its_broker_without_end():
    assert app.conf.broker_connection_max_retries is None


# --- what is stuck ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("fields", "is_stuck"),
    [
        ({}, False),
        ({"created_at": -16, "send_after": -16}, True),
        ({"created_at": -14, "send_after": -14}, False),
        ({"created_at": -16, "send_after": 5, "error": "TimeoutError"}, True),
        ({"created_at": -16, "send_after": 5, "attempts": 3}, True),
        ({"created_at": -16, "send_after": 5}, False),  # for its hour
        ({"created_at": -1, "send_after": 0, "error": "TimeoutError"}, False),
        ({"created_at": -16, "send_after": -16, "state": "sending"}, True),
        ({"created_at": -900, "send_after": 60, "state": "held"}, False),
        ({"created_at": -900, "send_after": -16, "state": "held"}, True),
        ({"created_at": -900, "send_after": -16, "state": "sent", "sent_at": 0}, False),
        ({"created_at": -900, "send_after": -16, "state": "failed", "error": "CannotOpen"}, False),
        ({"created_at": -900, "send_after": -16, "state": "cancelled"}, False),
    ],
)
def test_what_is_stuck(write, fields, is_stuck):
    now = timezone.now()
    minutes = {
        name: now + timedelta(minutes=value) for name, value in fields.items() if name.endswith(("_at", "_after"))
    }
    letter = write(**(fields | minutes))
    assert Letter.objects.stuck(now).exists() == is_stuck
    assert letter.is_stuck(now) == is_stuck
