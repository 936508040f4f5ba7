"""Letters leave the outbox: none lost, none doubled, no secret kept."""

from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.utils import timezone

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
    assert (letter.state, letter.error, letter.secret) == (Letter.State.FAILED, "CannotOpen", None)
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
