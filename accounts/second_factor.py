"""The second factor of an agent: enrolled, given at a sign-in, replaced, removed, reset.

Wrong codes count per sign-in and per account, over a day. A recovery code opens also then: nobody guesses one, and
its owner is never locked out for good.
"""

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts import emails, rules
from accounts.actions import Outcome, Verdict, throttled_until
from accounts.models import Authenticator, OpenSession, RecoveryCode, SignInCode, User
from accounts.models.second_factor import CODES_GIVEN
from ecare.journal.actions import record

APPLICATION, RECOVERY = "application", "recovery code"


class AlreadyEnrolled(Exception):
    """In another tab, with another key."""


class CannotReset(Exception):
    """The sentence says why, and from when one may."""


@transaction.atomic
def enrol(user: User, *, key: bytes, typed: str, attempt: SignInCode, current: str) -> list[str] | None:
    """Take the application that shows `typed`: its ten recovery codes, or None when the code is wrong.

    `attempt`: the sign-in of this session, `current` its key; every other session ends. Raises AlreadyEnrolled.
    """
    person = _locked(user)
    if person.second_factor_since:
        raise AlreadyEnrolled
    device = Authenticator.of(person, key)
    device.save()
    if not device.verify_token(typed):
        device.delete()
        return None
    now = timezone.now()
    User.objects.filter(pk=person.pk).update(second_factor_since=now)
    SignInCode.objects.filter(user=person, confirmed=False).delete()
    SignInCode.objects.filter(pk=attempt.pk).update(second_factor_at=now)
    OpenSession.others_of(person, current).delete()
    record(f"user:{person.pk}", "enrol", actor=person.actor)
    emails.second_factor_enrolled(person).save()
    return _new_codes(person)


@transaction.atomic
def check(attempt: SignInCode, typed: str) -> Verdict:
    """Look at the code of a sign-in under the limits. Nothing is raised in here: failures must be committed."""
    person = _locked(attempt.user)
    under_way = SignInCode.objects.filter(given_at__isnull=False, confirmed=False)
    found = under_way.select_for_update(of=("self",)).filter(pk=attempt.pk).first()
    if found is None or found.second_failures >= settings.SIGN_IN_CODE_TRIES:
        return Verdict(Outcome.SPENT)
    verdict, kind = _weigh(person, found, typed)
    if verdict.outcome is Outcome.RIGHT:
        found.confirmed, found.second_factor_at = True, timezone.now()
        found.save(update_fields=["confirmed", "second_factor_at"])
        record(f"user:{person.pk}", "sign_in", actor=person.actor, data={"second_factor": kind})
    return verdict


@transaction.atomic
def remove(user: User, *, typed: str, attempt: SignInCode) -> Verdict:
    """Give the second factor up; `attempt`: the sign-in of this session, on which wrong codes count."""
    person = _locked(user)
    if person.second_factor_since is None:
        return Verdict(Outcome.SPENT)
    attempt = SignInCode.objects.select_for_update(of=("self",)).get(pk=attempt.pk)
    verdict, _ = _weigh(person, attempt, typed)
    if verdict.outcome is Outcome.RIGHT:
        _forget(person)
        record(f"user:{person.pk}", "remove_second_factor", actor=person.actor)
        emails.second_factor_removed(person).save()
    return verdict


@transaction.atomic
def renew_recovery_codes(user: User) -> list[str]:
    """Ten others; the former ones are worth nothing any more. None of them for whoever has no second factor."""
    person = _locked(user)
    if person.second_factor_since is None:
        return []
    record(f"user:{person.pk}", "renew_recovery_codes", actor=person.actor)
    emails.recovery_codes_renewed(person).save()
    return _new_codes(person)


@transaction.atomic
def reset(user: User, *, by: User) -> bool:
    """An administrator helps somebody who lost application and codes: they are told, every session ends.

    False when there was nothing to reset. Raises CannotReset.
    """
    person = _locked(user)
    if person.second_factor_since is None:
        return False
    if refusal := rules.why_not_reset_second_factor(person):
        raise CannotReset(refusal)
    _forget(person)
    OpenSession.objects.filter(user=person).delete()
    record(f"user:{person.pk}", "reset_second_factor", actor=by.actor)
    emails.second_factor_reset(person).save()
    return True


def codes_left(user: User) -> int:
    return RecoveryCode.objects.filter(user=user, used_at=None).count()


def _locked(user: User) -> User:
    return User.objects.select_for_update(of=("self",)).get(pk=user.pk)


def _weigh(person: User, attempt: SignInCode, typed: str) -> tuple[Verdict, str]:
    """What a code is worth: six digits are the application's, anything else a recovery code."""
    kind = APPLICATION if typed.isdecimal() and len(typed) == 6 else RECOVERY
    if kind == APPLICATION and (until := throttled_until(person.pk, "second_failures")):
        return Verdict(Outcome.WAIT, until=until), kind
    is_right = _is_shown(person, typed) if kind == APPLICATION else _use_up(person, typed)
    if is_right:
        return Verdict(Outcome.RIGHT), kind
    attempt.second_failures += 1
    attempt.save(update_fields=["second_failures"])
    return Verdict(Outcome.WRONG, tries_left=max(settings.SIGN_IN_CODE_TRIES - attempt.second_failures, 0)), kind


def _is_shown(person: User, typed: str) -> bool:
    device = Authenticator.objects.filter(user=person).first()
    return device is not None and device.verify_token(typed)


def _use_up(person: User, typed: str) -> bool:
    good = RecoveryCode.objects.filter(user=person, token=RecoveryCode.digest(person, typed), used_at=None)
    if not good.update(used_at=timezone.now()):
        return False
    record(f"user:{person.pk}", "use_recovery_code", actor=person.actor)
    emails.recovery_code_used(person, left=codes_left(person)).save()
    return True


def _new_codes(person: User) -> list[str]:
    RecoveryCode.objects.filter(user=person).delete()
    codes = [RecoveryCode.new() for _ in range(CODES_GIVEN)]
    RecoveryCode.objects.bulk_create(
        RecoveryCode(user=person, token=RecoveryCode.digest(person, code)) for code in codes
    )
    return codes


def _forget(person: User):
    Authenticator.objects.filter(user=person).delete()
    RecoveryCode.objects.filter(user=person).delete()
    SignInCode.objects.filter(user=person, confirmed=False).delete()
    User.objects.filter(pk=person.pk).update(second_factor_since=None)
