"""One function per letter to a person about their account; each returns an unsaved letter."""

from datetime import timedelta

from allauth.account import app_settings
from allauth.account.models import EmailConfirmationHMAC
from django.conf import settings
from django.utils import timezone

from ecare.letters.emails import compose


def activation(address):
    """The link that activates an account; `address` is its allauth EmailAddress."""
    days = app_settings.EMAIL_CONFIRMATION_EXPIRE_DAYS
    return compose(
        "activation",
        to=address.email,
        subject=_reference(address.user),
        context={"person": address.user, "establishment": address.user.establishment, "days": days},
        secret=EmailConfirmationHMAC(address).key,
        expires_at=timezone.now() + timedelta(days=days),
    )


def registration_attempted(person):
    """To the owner of an account: somebody used their e-mail to register, or asked for an activation link."""
    return compose("registration_attempted", to=person.email, subject=_reference(person), context={"person": person})


def colleague_registered(colleague, newcomer):
    return compose(
        "colleague_registered",
        to=colleague.email,
        subject=_reference(colleague),
        context={"person": colleague, "newcomer": newcomer, "establishment": newcomer.establishment},
    )


def establishment_changed(person, former):
    """To the person whom an administrator moved from the establishment `former` to their present one."""
    context = {"person": person, "former": former, "establishment": person.establishment, "at": timezone.now()}
    return compose("establishment_changed", to=person.email, subject=_reference(person), context=context)


def code(sign_in_code, secret):
    """The mailed code; it leaves within its lifetime or never."""
    return compose(
        "code",
        to=sign_in_code.user.email,
        subject=sign_in_code.letters_subject,
        context={
            "person": sign_in_code.user,
            "code": sign_in_code,
            "minutes": int(settings.SIGN_IN_CODE_LIFETIME.total_seconds() // 60),
        },
        secret=secret,
        expires_at=sign_in_code.valid_until,
    )


def password_reset(person, key):
    """`key` is what the path of the link ends with."""
    lifetime = timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT)
    return compose(
        "password_reset",
        to=person.email,
        subject=_reference(person),
        context={"person": person, "hours": int(lifetime.total_seconds() // 3600)},
        secret=key,
        expires_at=timezone.now() + lifetime,
    )


def account_not_found(email):
    """To an address that has no account: somebody asked for a new password or an activation link with it."""
    return compose("account_not_found", to=email)


def email_change_requested(change):
    """To the present mailbox, whose owner may be somebody else than whoever sits at the keyboard."""
    return _about_change("email_change_requested", change, change.Side.OLD, to=change.user.email)


def email_change_to_confirm(change):
    """To the new mailbox: of the account it says nothing."""
    return _about_change("email_change_to_confirm", change, change.Side.NEW, to=change.email)


def _about_change(name, change, side, *, to):
    return compose(
        name,
        to=to,
        subject=_reference(change.user),
        context={"person": change.user, "change": change},
        secret=change.key(side),
        expires_at=change.until,
    )


def email_change_attempted(owner):
    """To the owner of an account: somebody wanted their e-mail for another one."""
    return compose("email_change_attempted", to=owner.email, subject=_reference(owner), context={"person": owner})


def email_changed(person, former, *, to):
    """To both mailboxes."""
    context = {"person": person, "former": former, "at": timezone.now()}
    return compose("email_changed", to=to, subject=_reference(person), context=context)


def email_correction_to_stop(correction, reason):
    """To the mailbox that an administrator replaced: its link stops it."""
    return _of_correction("email_correction_to_stop", correction, to=correction.former, reason=reason, is_secret=True)


def email_corrected(correction, reason):
    """To the new mailbox."""
    return _of_correction("email_corrected", correction, to=correction.user.email, reason=reason)


def password_reset_held(correction):
    """In the place of a link, while the former mailbox may still stop the correction."""
    return _of_correction("password_reset_held", correction, to=correction.user.email)


def _of_correction(name, correction, *, to, is_secret=False, **context):
    return compose(
        name,
        to=to,
        subject=_reference(correction.user),
        context={"person": correction.user, "correction": correction, "at": timezone.now(), **context},
        secret=correction.key if is_secret else None,
        expires_at=correction.until,
    )


def email_correction_stopped(person, *, to):
    """To both mailboxes, and to every administrator."""
    context = {"person": person, "at": timezone.now()}
    return compose("email_correction_stopped", to=to, subject=_reference(person), context=context)


def password_changed(person):
    return compose(
        "password_changed",
        to=person.email,
        subject=_reference(person),
        context={"person": person, "at": timezone.now()},
    )


# --- agents -------------------------------------------------------------------------------------------------------
def invitation(invitation, secret):
    """The link that opens an agent's account; `secret` is what it ends with."""
    return compose(
        "invitation",
        to=invitation.email,
        subject=invitation.subject,
        context={"invitation": invitation, "regions": list(invitation.regions.all())},
        secret=secret,
        expires_at=invitation.until,
    )


def second_factor_enrolled(person):
    return _of_second_factor("second_factor_enrolled", person)


def second_factor_removed(person):
    return _of_second_factor("second_factor_removed", person)


def second_factor_reset(person):
    """An administrator did it for somebody who lost everything."""
    return _of_second_factor("second_factor_reset", person)


def recovery_codes_renewed(person):
    return _of_second_factor("recovery_codes_renewed", person)


def recovery_code_used(person, *, left):
    return _of_second_factor("recovery_code_used", person, left=left)


def _of_second_factor(name, person, **context):
    context |= {"person": person, "at": timezone.now()}
    return compose(name, to=person.email, subject=_reference(person), context=context)


def _reference(person) -> str:
    return f"user:{person.pk}"


def account_expiring(person, *, days):
    """Nobody has signed in for years: how to keep the account."""
    return compose(
        "account_expiring", to=person.email, subject=_reference(person), context={"person": person, "days": days}
    )
