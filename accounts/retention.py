"""What is kept of people only for a time: how long is in the settings, and in docs/privacy.md for whom and why.

Every verb may be run again at once without effect, and takes no more than a batch: the next tick goes on.
"""

from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from captcha.models import CaptchaStore
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts import actions, agents, emails
from accounts.models import EmailChange, EmailCorrection, Invitation, SignInCode, User, UsernameHold
from ecare.journal.actions import record, veil
from ecare.letters.actions import cancel
from ecare.letters.models import Letter
from ecare.letters.retention import erase_words

BATCH = 500


def forget(at: datetime) -> dict[str, int]:
    """All of it, by name: how many."""
    return {
        "sign-in codes": _delete(SignInCode.objects.filter(created_at__lt=at - actions.CODES_KEPT)),
        "e-mail changes": _delete(EmailChange.objects.filter(until__lt=at)),
        "e-mail corrections": _delete(EmailCorrection.objects.filter(until__lt=at)),
        "user names held": _delete(UsernameHold.objects.filter(until__lt=at)),
        "captchas": _delete(CaptchaStore.objects.filter(expiration__lt=at)),
        "invitations": sum(map(_forget_invitation, _old_invitations(at)[:BATCH])),
        "accounts never activated": sum(map(_forget_account, _never_activated(at)[:BATCH])),
        "accounts warned": warn_unused(at),
        "accounts deactivated": deactivate_unused(at),
    }


def _delete(rows: QuerySet) -> int:
    """A batch of them."""
    keys = list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH])
    return rows.model._default_manager.filter(pk__in=keys).delete()[1].get(rows.model._meta.label, 0) if keys else 0


# --- invitations and accounts that nobody took up -------------------------------------------------------------------
def _old_invitations(at: datetime) -> QuerySet[Invitation]:
    """Nobody accepted them, and they ended long ago."""
    ended = at - timedelta(days=settings.INVITATIONS_KEPT_DAYS)
    over = Q(revoked_at__lt=ended) | Q(revoked_at=None, until__lt=ended)
    return Invitation.objects.filter(over, accepted_at=None).order_by("pk")


@transaction.atomic
def _forget_invitation(invitation: Invitation) -> bool:
    """Its mailbox is in the journal, which shows it no more."""
    found = Invitation.objects.select_for_update(of=("self",)).filter(pk=invitation.pk, accepted_at=None).first()
    if found is None:
        return False
    record(found.subject, "forget_invitation")
    veil(found.subject)
    erase_words(Letter.objects.about(found.subject))
    found.delete()
    return True


def _never_activated(at: datetime) -> QuerySet[User]:
    joined = at - timedelta(days=settings.NEVER_ACTIVATED_KEPT_DAYS)
    return User.objects.awaiting_activation().filter(date_joined__lt=joined).order_by("pk")


@transaction.atomic
def _forget_account(user: User) -> bool:
    """Locked like an activation under way, then asked again: an account activated meanwhile stays."""
    list(User.objects.select_for_update(of=("self",)).filter(pk=user.pk))
    if not User.objects.awaiting_activation().filter(pk=user.pk).exists():
        return False
    subject = f"user:{user.pk}"
    cancel(subject, ["activation"])
    record(subject, "forget_account")
    veil(subject)
    erase_words(Letter.objects.filter(recipient__iexact=user.email))
    user.delete()
    return True


# --- accounts that nobody uses any more -----------------------------------------------------------------------------
def _unused(at: datetime, days: int) -> QuerySet[User]:
    """Those in which nobody has signed in for so many days."""
    found = User.objects.annotate(used_at=Coalesce("last_login", "date_joined"))
    found = found.filter(used_at__lt=at - timedelta(days=days), is_active=True, emailaddress__verified=True)
    return found.order_by("pk")


def _may_go(user: User) -> bool:
    """Whoever holds a dossier that is not ended keeps their account."""
    return not user.applications.under_way().exists()


def _warning(user: User) -> str:
    """One for each time that somebody stopped coming: who comes back and stops again is warned again."""
    return f"account_expiring user:{user.pk} {user.last_login or user.date_joined:%Y-%m-%d}"


def warn_unused(at: datetime) -> int:
    """Some weeks before: the letter says how to keep the account."""
    warned = 0
    for user in _unused(at, settings.UNUSED_ACCOUNTS_KEPT_DAYS - settings.WARNED_DAYS).iterator():
        if Letter.objects.filter(once=_warning(user)).exists() or not _may_go(user):
            continue
        letter = emails.account_expiring(user, days=settings.WARNED_DAYS)
        letter.once = _warning(user)
        try:
            with transaction.atomic():
                letter.save()
        except IntegrityError:
            continue  # another worker wrote it meanwhile
        warned += 1
        if warned == BATCH:
            break
    return warned


def deactivate_unused(at: datetime) -> int:
    """Once they were warned for long enough; an administrator may open the account again."""
    unused = _unused(at, settings.UNUSED_ACCOUNTS_KEPT_DAYS).iterator()
    return sum(_deactivate(user, at) for user in unused if _may_go(user))


@transaction.atomic
def _deactivate(user: User, at: datetime) -> bool:
    list(User.objects.select_for_update(of=("self",)).filter(role=User.Role.ADMINISTRATOR).order_by("pk"))
    found = User.objects.select_for_update(of=("self",)).get(pk=user.pk)
    before = at - timedelta(days=settings.WARNED_DAYS)
    was_warned = Letter.objects.filter(once=_warning(found), created_at__lte=before).exists()
    others = User.objects.administrators().exclude(pk=found.pk)
    is_last = found.role == User.Role.ADMINISTRATOR and not others.exists()
    if not found.is_active or not was_warned or is_last:
        return False
    found.is_active = False
    found.save(update_fields=["is_active"])
    record(f"user:{found.pk}", "deactivate", message="Compte inutilisé depuis longtemps.")
    agents.shut_out(found)
    return True


# --- erasure --------------------------------------------------------------------------------------------------------
def drop_ways_in(user: User) -> None:
    """Addresses, sessions, codes, devices: nothing opens this account any more, and nothing of it is to be kept."""
    agents.shut_out(user)
    EmailAddress.objects.filter(user=user).delete()
    EmailCorrection.objects.filter(user=user).delete()
    UsernameHold.objects.filter(Q(email__iexact=user.email) | Q(username__iexact=user.username)).delete()
    SignInCode.objects.filter(user=user).delete()
    user.recovery_codes.all().delete()
    TOTPDevice.objects.filter(user=user).delete()
