"""An administrator puts another e-mail in the place of a person's: both mailboxes hear it, the former may stop it.

Whoever has the mailbox chooses the password. So that an administrator takes over nobody's account, the new mailbox is
no way to another password while the former one may still say no, and no second factor is reset meanwhile (ADR 31).
"""

from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import actions, agents, emails, rules
from accounts.models import EmailCorrection, Invitation, User
from ecare.journal.actions import record
from ecare.letters.actions import cancel


class CannotCorrect(Exception):
    """The sentence says why."""


def correct_email(person: User, *, by: User, email: str, reason: str) -> bool:
    """Another e-mail for somebody who lost their mailbox; of an account never activated, another link to activate it.

    Every session ends, what was asked from the former mailbox is cancelled. False if it is theirs already. Raises
    CannotCorrect.
    """
    try:
        with transaction.atomic():
            return _correct(person, by, email.lower(), reason)
    except IntegrityError:  # somebody else was faster to take it
        raise CannotCorrect(rules.TAKEN) from None


def _correct(person: User, by: User, email: str, reason: str) -> bool:
    person = User.objects.select_for_update(of=("self",)).get(pk=person.pk)
    former, is_new = person.email, User.objects.awaiting_activation().filter(pk=person.pk).exists()
    if email == former.lower():
        return False
    if refusal := rules.why_not_correct_email(person, by=by, email=email):
        raise CannotCorrect(refusal)
    actions.replace_email(person, email)
    for invitation in Invitation.objects.unanswered().filter(email__in=[former.lower(), email]):
        agents.revoke_invitation(invitation, by=by)
    data = {"from": rules.masked(former), "to": rules.masked(email)}
    record(f"user:{person.pk}", "correct_email", actor=by.actor, message=reason, data=data)
    if is_new:
        _activate_anew(person)
    else:
        _hold(person, former, reason)
    return True


def _activate_anew(person: User):
    """Nobody has used the account yet: whoever reads the mailbox that was meant opens it."""
    cancel(f"user:{person.pk}", ["activation"])
    address = EmailAddress.objects.get(user=person)
    EmailAddress.objects.filter(pk=address.pk).update(verified=False)
    emails.activation(address).save()


def _hold(person: User, former: str, reason: str):
    """Corrected twice in a row, it is still the first mailbox that may stop it; given back to it, nothing is held."""
    before = EmailCorrection.objects.held().filter(user=person).first()
    owned = before.former if before else former
    cancel(f"user:{person.pk}", ["email_correction_to_stop", "email_corrected"])
    if person.email.lower() == owned.lower():
        _give_up(person, beside=former)
        return
    until = timezone.now() + EmailCorrection.HOLD
    correction, _ = EmailCorrection.objects.update_or_create(user=person, defaults={"former": owned, "until": until})
    emails.email_correction_to_stop(correction, reason).save()
    emails.email_corrected(correction, reason).save()


@transaction.atomic
def stop_correction(correction: EmailCorrection) -> bool:
    """The former mailbox said no: it is the account's again, every session ends, the administrators hear it.

    False when it is over: too late, stopped already, or the former e-mail is another account's by now.
    """
    person = User.objects.select_for_update(of=("self",)).get(pk=correction.user_id)
    found = EmailCorrection.objects.held().filter(pk=correction.pk).first()
    if found is None or rules.is_taken(found.former, by_other_than=person):
        return False
    stopped = person.email
    actions.replace_email(person, found.former)
    data = {"from": rules.masked(stopped), "to": rules.masked(found.former)}
    record(f"user:{person.pk}", "stop_email_correction", actor=person.actor, data=data)
    cancel(f"user:{person.pk}", ["email_correction_to_stop", "email_corrected"])
    _give_up(person, beside=stopped)
    return True


def _give_up(person: User, *, beside: str):
    """`beside`: the mailbox that the account leaves."""
    EmailCorrection.objects.filter(user=person).delete()
    administrators = User.objects.administrators()
    told = {person.email, beside, *administrators.values_list("email", flat=True)}
    for address in sorted(told):
        emails.email_correction_stopped(person, to=address).save()
