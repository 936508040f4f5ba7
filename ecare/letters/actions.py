"""The outbox at work: claim a few letters in one short transaction, send them outside any, mark each in another.

What became untrue since it was written does not leave; what its recipient wants once a day is held until the morning.
"""

import logging
import smtplib
import time
import uuid
from datetime import datetime, timedelta
from html import escape

from django.conf import settings
from django.core import mail
from django.db import transaction
from django.db.models import Case, F, Q, When
from django.utils import timezone

from ecare import tracing
from ecare.clock import next_hour
from ecare.journal.actions import record
from ecare.letters import emails, files, rules
from ecare.letters.models import SECRET_MARK, Letter
from ecare.sealing import CannotOpen, unseal

log = logging.getLogger(__name__)

BATCH = 20
LEASE = timedelta(minutes=2)
# A batch begins no letter after this: what remains of the lease outlasts the slowest conversation with the server.
BATCH_SECONDS = 30
# The server cannot be reached: the letters are not at fault, so their attempts are not counted.
OUTAGE_PAUSE = timedelta(seconds=10)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=15), timedelta(hours=1)
MAX_ATTEMPTS = 20
DIGEST_HOUR = 8  # in Paris
UNTRUE = "n’est plus vrai"
WITHDRAWN = "annulé par un administrateur"
OUTBOX = "outbox"
"""How the journal names it."""
NO_ANSWER = (OSError, smtplib.SMTPException)


class CannotResend(Exception):
    """The letter carried a secret: whoever needs it asks for a new one."""


def deliver(now: datetime | None = None) -> int:
    """Cancel what expired, then send one batch of what is due. Returns how many letters left."""
    now = now or timezone.now()
    expire(now)
    letters = claim(now)
    if not letters:
        return 0
    connection = mail.get_connection()
    try:
        return _send_all(letters, connection)
    finally:
        _close(connection)


def expire(now: datetime) -> None:
    """Letters that came too late to be of use never leave, and their secret goes."""
    late = Letter.objects.waiting(now).filter(expires_at__lte=now)
    if late.exists():
        late.update(state=Letter.State.CANCELLED, secret=None, lease=None, leased_until=None, error="caduc")


def claim(now: datetime) -> list[Letter]:
    """Take a batch under a lease of its own: the condition is in the UPDATE, so that two workers share none."""
    due = Letter.objects.due(now)
    if not due.exists():
        return []
    lease = uuid.uuid4()
    with transaction.atomic():
        first = due.order_by("send_after").select_for_update(skip_locked=True).values_list("pk", flat=True)[:BATCH]
        # Begun by a worker that never came back: its mail may have left.
        doubt = Case(When(begun_at__isnull=False, then=True), default=F("may_be_doubled"))
        taken = {"state": Letter.State.SENDING, "lease": lease, "leased_until": now + LEASE}
        due.filter(pk__in=list(first)).update(may_be_doubled=doubt, begun_at=None, **taken)
    return list(Letter.objects.filter(lease=lease).order_by("send_after"))


def cancel(subject: str, names: list[str], *, premise: dict | None = None) -> int:
    """Withdraw the letters about `subject` that a verb made untrue; those already on their way are not called back.
    `premise`: only those that were written with it.

    One told in a daily letter that has not left is withdrawn too: that letter is written anew before it leaves.
    """
    untrue = Letter.objects.about(subject).filter(name__in=names)
    return _withdraw(untrue if premise is None else untrue.filter(premise=premise))


def cancel_calls(recipient: str) -> int:
    """Withdraw what asks somebody to act who may not any more, as `cancel` does."""
    return _withdraw(Letter.objects.filter(recipient__iexact=recipient, name__in=rules.calls_to_act()))


def _withdraw(untrue) -> int:
    now = timezone.now()
    told = untrue.told_in_a_waiting_digest(now).update(state=Letter.State.CANCELLED)
    withdrawn = {"state": Letter.State.CANCELLED, "secret": None, "lease": None, "leased_until": None}
    return told + untrue.waiting(now).update(**withdrawn)


def gather(now: datetime | None = None) -> int:
    """Write the daily letter of everybody whose held letters have waited for their hour. Returns how many."""
    now, written = now or timezone.now(), 0
    recipients = Letter.objects.held().filter(send_after__lte=now).order_by("recipient")
    for recipient in list(recipients.values_list("recipient", flat=True).distinct()):
        try:
            written += _gather(recipient, now)
        except Exception:
            log.exception("A daily letter could not be written")  # the letters stay held; the next tick tries again
    return written


@transaction.atomic
def _gather(recipient: str, now: datetime) -> bool:
    held = Letter.objects.held().filter(recipient=recipient).select_for_update(of=("self",)).order_by("created_at")
    letters = list(held)
    true = [letter for letter in letters if rules.is_still_true(letter, now)]
    untrue = {letter.pk for letter in letters} - {letter.pk for letter in true}
    Letter.objects.held().filter(pk__in=untrue).update(state=Letter.State.CANCELLED, error=UNTRUE)
    if not true:
        return False
    digest = emails.digest(recipient, true)
    digest.save()
    told = Letter.objects.filter(pk__in=[letter.pk for letter in true])
    told.update(state=Letter.State.GATHERED, digest=digest, error="")
    return True


def release(recipient: str) -> int:
    """Who no longer wants one letter a day gets at once what was held."""
    held = Letter.objects.held().filter(recipient__iexact=recipient)
    return held.update(state=Letter.State.QUEUED, send_after=timezone.now())


@transaction.atomic
def resend(letter: Letter, *, by: tuple[str, str] | None = None) -> Letter:
    """A new letter with the same words; the journal keeps who asked for it. Raises CannotResend."""
    if letter.carries_secret or not letter.text:  # or its words were erased since
        raise CannotResend
    kept = {
        name: getattr(letter, name)
        for name in ("name", "subject", "recipient", "title", "text", "html", "link", "premise")
    }
    again = Letter.objects.create(**kept)
    if by is not None:
        _note(letter, "resend_letter", by=by, again=str(again.pk))
    return again


@transaction.atomic
def withdraw(letter: Letter, *, by: tuple[str, str]) -> bool:
    """Cancel one that has not left; False when it has, or is leaving."""
    waiting = Letter.objects.waiting(timezone.now()).filter(pk=letter.pk)
    if not waiting.update(state=Letter.State.CANCELLED, secret=None, lease=None, leased_until=None, error=WITHDRAWN):
        return False
    _note(letter, "withdraw_letter", by=by)
    return True


def _note(letter: Letter, verb: str, *, by: tuple[str, str], **data) -> None:
    record(OUTBOX, verb, actor=by, data={"letter": str(letter.pk), "name": letter.name, **data})


def tell_auditor(anchor) -> None:
    """The digest of the day leaves the portal."""
    if settings.AUDITOR_ADDRESS:
        emails.journal_anchored(anchor, settings.AUDITOR_ADDRESS).save()


def readdress(former: str, present: str) -> int:
    """What was held for somebody follows them to their new mailbox."""
    return Letter.objects.held().filter(recipient__iexact=former).update(recipient=present)


def _send_all(letters: list[Letter], connection) -> int:
    sent, stop_at = 0, time.monotonic() + BATCH_SECONDS
    for rank, letter in enumerate(letters):
        if time.monotonic() > stop_at:
            _release(letters[rank:], send_after=timezone.now())
            break
        try:
            connection.open()
        except NO_ANSWER as error:
            log.warning("mail server out of reach: %s", type(error).__name__)
            _release(letters[rank:], send_after=timezone.now() + OUTAGE_PAUSE, error=_reason(error))
            break
        with tracing.work("letter", letter.pk, request_id=letter.request_id):
            sent += _send_one(letter, connection)
    return sent


def _send_one(letter: Letter, connection) -> bool:
    """Send on an open connection, and mark the letter with what became of it."""
    if not _may_leave(letter) or not _begin(letter):
        return False
    try:
        message = _message(letter)
        connection.send_messages([message])
        if settings.EMBEDDED:
            files.keep(letter, message)
    except (CannotOpen, ValueError) as error:  # a lost key; an address or title that no mail may have
        _fail(letter, error)
    except NO_ANSWER as error:
        _close(connection)
        if _is_final(error):
            _fail(letter, error)
        else:
            _put_off(letter, error)
    else:
        _mark(letter, state=Letter.State.SENT, secret=None, sent_at=timezone.now(), error="")
        letter.tells_of.update(sent_at=timezone.now())
        return True
    return False


def _may_leave(letter: Letter) -> bool:
    """Ask once more, now that it is about to leave: is it still true, and does its recipient want it by itself?"""
    now = timezone.now()
    try:
        if not _is_true_to_the_end(letter, now):
            _write_anew(letter, now)
            return False
        hour = next_hour(letter.send_after, DIGEST_HOUR)
        if rules.is_gathered(letter) and (letter.expires_at is None or letter.expires_at > hour):
            _mark(letter, state=Letter.State.HELD, send_after=hour, error="")
            return False
    except Exception as error:
        log.exception("letter %s could not be checked", letter.pk)
        _put_off(letter, error)
        return False
    return True


def _begin(letter: Letter) -> bool:
    """Say that the mail is about to leave, with a whole lease before us. False when another worker has it by now."""
    now = timezone.now()
    ours = Letter.objects.filter(pk=letter.pk, lease=letter.lease, leased_until__gt=now)
    return bool(ours.update(begun_at=now, leased_until=now + LEASE))


def _is_true_to_the_end(letter: Letter, now: datetime) -> bool:
    """A daily letter is true as long as everything that it tells is."""
    if not rules.is_still_true(letter, now):
        return False
    return all(told.state == Letter.State.GATHERED and rules.is_still_true(told, now) for told in letter.tells_of.all())


@transaction.atomic
def _write_anew(letter: Letter, now: datetime) -> None:
    """Cancel what became untrue; of a daily letter, what is still true in it is told in another."""
    ours = Letter.objects.select_for_update(of=("self",)).filter(pk=letter.pk, lease=letter.lease)
    if not ours.exists():
        return
    _mark(letter, state=Letter.State.CANCELLED, secret=None, error=UNTRUE)
    told = letter.tells_of.filter(state=Letter.State.GATHERED)
    if told.update(state=Letter.State.HELD, send_after=now, digest=None):
        _gather(letter.recipient, now)


def _message(letter: Letter) -> mail.EmailMultiAlternatives:
    secret = unseal(bytes(letter.secret), purpose="letter").decode() if letter.secret else SECRET_MARK
    message = mail.EmailMultiAlternatives(
        subject=letter.title,
        body=letter.text.replace(SECRET_MARK, secret),
        to=[letter.recipient],
        headers={"Message-ID": letter.message_id, "Auto-Submitted": "auto-generated", "X-eCaRE-Letter": letter.name},
    )
    message.attach_alternative(letter.html.replace(SECRET_MARK, escape(secret)), "text/html")
    return message


def _is_final(error: Exception) -> bool:
    """The server will never take this letter; a refused sender is our own setting, so the letter waits for it."""
    about_this_letter = isinstance(error, smtplib.SMTPRecipientsRefused | smtplib.SMTPDataError)
    return about_this_letter and all(500 <= code < 600 for code in _codes(error))


def _put_off(letter: Letter, error: Exception) -> None:
    """Later and later, until the server has said no too often."""
    letter.attempts += 1
    if not _codes(error):  # it broke off: whether the server took the mail, nobody knows
        Letter.objects.filter(pk=letter.pk, lease=letter.lease).exclude(begun_at=None).update(may_be_doubled=True)
    if letter.attempts >= MAX_ATTEMPTS:
        _fail(letter, error)
        return
    send_after = timezone.now() + min(FIRST_PAUSE * 2 ** (letter.attempts - 1), LONGEST_PAUSE)
    _mark(letter, state=Letter.State.QUEUED, attempts=letter.attempts, send_after=send_after, error=_reason(error))


def _fail(letter: Letter, error: Exception) -> None:
    log.warning("letter %s failed: %s", letter.pk, _reason(error))
    _mark(letter, state=Letter.State.FAILED, secret=None, attempts=letter.attempts, error=_reason(error))
    letter.tells_of.update(state=Letter.State.FAILED, error=_reason(error))


def _mark(letter: Letter, **outcome) -> None:
    """Only while the lease is ours: another worker's word on the letter stands."""
    ours = Letter.objects.filter(pk=letter.pk, lease=letter.lease)
    ours.update(lease=None, leased_until=None, begun_at=None, **outcome)


def _release(letters: list[Letter], **outcome) -> None:
    held = Q(pk__in=[letter.pk for letter in letters], lease=letters[0].lease)
    free = {"state": Letter.State.QUEUED, "lease": None, "leased_until": None, "begun_at": None}
    Letter.objects.filter(held).update(**free, **outcome)


def _codes(error: Exception) -> list[int]:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return [code for code, _ in error.recipients.values()]
    return [error.smtp_code] if isinstance(error, smtplib.SMTPResponseException) else []


def _reason(error: Exception) -> str:
    """What an agent may read: the kind and the code of the refusal, never the letter's words."""
    return " ".join([type(error).__name__, *map(str, _codes(error))])[:200]


def _close(connection) -> None:
    try:
        connection.close()
    except NO_ANSWER:
        connection.connection = None
