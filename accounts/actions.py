"""Registration, activation, password, terms: the only writers of an account."""

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta

from allauth.account.app_settings import EMAIL_CONFIRMATION_EXPIRE_DAYS
from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from accounts import emails, rules, usernames
from accounts.models import EmailChange, EmailCorrection, OpenSession, SignInCode, TermsAcceptance, User, UsernameHold
from ecare.journal.actions import record
from ecare.letters.actions import cancel, readdress, release
from ecare.letters.models import Letter
from establishments.models import Establishment

FAILED_CODES_PER_DAY = 10  # of one account, over all its sign-ins
TIME_TO_CONFIRM = timedelta(days=1)  # from both mailboxes
CODES_KEPT = timedelta(days=2)  # longer than a session lasts and than failures count
LETTERS_PER_HOUR = 3  # that a stranger can cause to one mailbox; the links of the earlier ones stay good


class UsernameTaken(Exception):
    """Somebody took the user name in the meantime."""


class CannotMove(Exception):
    """This person stays with their establishment; the sentence says why and what to do first."""


class EstablishmentClosed(Exception):
    """The directory no longer lists the establishment as open."""


@dataclass(frozen=True)
class Person:
    """What somebody said of themselves when they registered."""

    username: str
    email: str
    civility: str
    first_name: str
    last_name: str
    phone: str


def register(person: Person, *, password_hash: str, establishment: Establishment):
    """Open an account that awaits its activation, or tell the owner of the e-mail. Both look the same from outside.

    An account never activated gives way: the newest registrant wins, the old link dies.
    Raises UsernameTaken, EstablishmentClosed.
    """
    attempts = 3
    for attempt in range(1, attempts + 1):
        try:
            with transaction.atomic():
                _register(person, password_hash, establishment)
                return
        except IntegrityError:
            # Another registration came first. The same e-mail: it is replaced in turn; the same name: it is taken.
            if not usernames.is_free(person.username, email=person.email):
                raise UsernameTaken from None
            if attempt == attempts:
                raise


def _register(person: Person, password_hash: str, establishment: Establishment):
    establishment = Establishment.objects.open().select_for_update(of=("self",)).filter(pk=establishment.pk).first()
    if establishment is None:
        raise EstablishmentClosed
    make_room_for(person)
    if not usernames.is_free(person.username, email=person.email):
        raise UsernameTaken
    UsernameHold.objects.filter(Q(username__iexact=person.username) | Q(email__iexact=person.email)).delete()
    owner = User.objects.filter(email__iexact=person.email).first()
    if owner:
        _tell(owner, person)
    else:
        _open_account(person, password_hash, establishment)


def _tell(owner: User, person: Person):
    """Somebody used the e-mail of `owner`; the name that they chose is held as an account would hold it."""
    until = timezone.now() + _time_to_activate()
    UsernameHold.objects.create(username=person.username, email=person.email, until=until)
    record(f"user:{owner.pk}", "register", message="Inscription demandée avec l’adresse de ce compte.")
    _send(emails.registration_attempted(owner))


def _open_account(person: Person, password_hash: str, establishment: Establishment):
    user = User.objects.create(
        username=person.username,
        email=person.email,
        civility=person.civility,
        first_name=person.first_name,
        last_name=person.last_name,
        phone=person.phone,
        password=password_hash,
        establishment=establishment,
        role=User.Role.REFERENT,
    )
    address = EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=False)
    record(f"user:{user.pk}", "register", actor=user.actor, data={"establishment": establishment.pk})
    emails.activation(address).save()  # always: the link of an account that this one replaces is dead


def make_room_for(person: Person):
    """Remove what was never activated: under the same e-mail, or under the same name once its link has expired."""
    waiting = User.objects.awaiting_activation()
    stale = timezone.now() - _time_to_activate()
    same_email = waiting.filter(email__iexact=person.email)
    same_name = waiting.filter(username__iexact=person.username, date_joined__lt=stale)
    _replace({*same_email, *same_name})


def _replace(users: set[User]):
    """Remove these accounts, none of which was ever activated."""
    waiting = User.objects.awaiting_activation()
    for user in users:
        # Locked like an activation under way, then asked again: an account activated meanwhile stays.
        list(User.objects.select_for_update(of=("self",)).filter(pk=user.pk))
        if waiting.filter(pk=user.pk).exists():
            cancel(f"user:{user.pk}", ["activation"])
            record(f"user:{user.pk}", "replace", message="Compte jamais activé, remplacé par une nouvelle inscription.")
            user.delete()


@transaction.atomic
def activate(address: EmailAddress) -> bool:
    """The owner of the mailbox pressed the button: the account opens, the colleagues are told. False if too late."""
    user = User.objects.select_for_update(of=("self",)).filter(pk=address.user_id).first()
    address = EmailAddress.objects.filter(pk=address.pk, verified=False).first()
    if user is None or address is None:
        return False
    if not address.set_verified(commit=True):
        return False
    record(f"user:{user.pk}", "activate", actor=user.actor)
    _tell_colleagues(user)
    return True


def _tell_colleagues(newcomer: User):
    for colleague in User.objects.colleagues_of(newcomer):
        emails.colleague_registered(colleague, newcomer).save()


@transaction.atomic
def resend_activation(email: str):
    """One letter in each case, so that nobody learns from outside which of them it was."""
    user = User.objects.filter(email__iexact=email).first()
    if user is None:
        _send(emails.account_not_found(email))
    elif address := EmailAddress.objects.filter(user=user, verified=False, primary=True).first():
        _send(emails.activation(address))
    else:
        _send(emails.registration_attempted(user))


@transaction.atomic
def request_password_reset(email: str, *, key_for):
    """One letter in each case; `key_for(user)` makes the key of the link."""
    user = User.objects.select_for_update(of=("self",)).filter(email__iexact=email, is_active=True).first()
    if user is None:
        _send(emails.account_not_found(email))
    elif correction := EmailCorrection.objects.held().filter(user=user).first():
        _send(emails.password_reset_held(correction))
    else:
        _send(emails.password_reset(user, key_for(user)))


@transaction.atomic
def change_password(user: User, password: str):
    """Every other session ends, sign-ins under way with the old password too; too many wrong codes are forgiven."""
    user.set_password(password)
    User.objects.filter(pk=user.pk).update(password=user.password)
    SignInCode.objects.filter(user=user, confirmed=False).delete()
    SignInCode.objects.filter(user=user).update(failures=0)
    EmailChange.objects.filter(user=user).delete()  # whoever asked for it may have known the old password
    record(f"user:{user.pk}", "change_password", actor=user.actor)
    emails.password_changed(user).save()


# --- another e-mail -----------------------------------------------------------------------------------------------
@transaction.atomic
def request_email_change(user: User, email: str) -> EmailChange:
    """Ask both mailboxes; the owner of a taken one is told instead. From outside each case looks the same."""
    list(User.objects.select_for_update(of=("self",)).filter(pk=user.pk))
    cancel_email_change(user)
    change = EmailChange.objects.create(user=user, email=email, until=timezone.now() + TIME_TO_CONFIRM)
    _send(emails.email_change_requested(change))
    owner = _owner_of(email)
    _send(emails.email_change_attempted(owner) if owner else emails.email_change_to_confirm(change))
    record(f"user:{user.pk}", "request_email_change", actor=user.actor)
    return change


@transaction.atomic
def cancel_email_change(user: User) -> bool:
    """Its links open nothing any more. False when there was none."""
    cancel(f"user:{user.pk}", ["email_change_requested", "email_change_to_confirm"])
    return bool(EmailChange.objects.filter(user=user).delete()[0])


def _owner_of(email: str) -> User | None:
    """Who has an activated account with it; one that never was gives way."""
    waiting = User.objects.awaiting_activation().values("pk")
    return User.objects.filter(email__iexact=email).exclude(pk__in=waiting).first()


@transaction.atomic
def confirm_email_change(change: EmailChange, side: str, *, current: str = "") -> EmailChange | None:
    """One mailbox said yes; with the second one the e-mail changes and every session but `current` (a key) ends.

    None when the change is over: too late, cancelled, or the e-mail is another account's by now.
    """
    user = User.objects.select_for_update(of=("self",)).get(pk=change.user_id)
    found = EmailChange.objects.filter(pk=change.pk, until__gt=timezone.now()).first()
    if found is None or (side == EmailChange.Side.NEW and _owner_of(found.email)):
        return None
    setattr(found, f"{side}_confirmed_at", timezone.now())
    found.save()
    if found.old_confirmed_at and found.new_confirmed_at:
        if _owner_of(found.email):
            found.delete()
            return None
        former = user.email
        replace_email(user, found.email, current=current)
        data = {"from": former, "to": found.email}
        record(f"user:{user.pk}", "change_email", actor=user.actor, data=data)
        for address in (former, found.email):
            emails.email_changed(user, former, to=address).save()
    return found


def replace_email(user: User, email: str, *, current: str = ""):
    """What was asked from the former mailbox is void: links, codes, and every session but `current` (a key).

    The caller holds the lock of the person, writes the journal and tells both mailboxes.
    """
    former = user.email
    _replace(set(User.objects.awaiting_activation().filter(email__iexact=email)))
    cancel_email_change(user)
    user.email = email
    user.save(update_fields=["email"])
    readdress(former, email)
    EmailAddress.objects.filter(user=user).delete()
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    cancel(f"user:{user.pk}", ["password_reset"])
    drop_sign_ins(user)
    OpenSession.others_of(user, current).delete()


def drop_sign_ins(user: User):
    """Those under way, with the codes that have not left yet."""
    for attempt in SignInCode.objects.filter(user=user, confirmed=False):
        cancel(attempt.letters_subject, ["code"])
        attempt.delete()


# --- sessions -----------------------------------------------------------------------------------------------------
@transaction.atomic
def close_session(user: User, *, name: str, current: str) -> bool:
    """End one session of this person, but for the `current` one (its key). False when it is over already."""
    for session in OpenSession.of(user):
        if session.public_name == name and not session.is_opened_by(current):
            session.delete()
            record(f"user:{user.pk}", "close_session", actor=user.actor)
            return True
    return False


@transaction.atomic
def close_other_sessions(user: User, *, current: str) -> int:
    """End every session of this person but the `current` one (its key). Returns how many."""
    closed, _ = OpenSession.others_of(user, current).delete()
    if closed:
        record(f"user:{user.pk}", "close_other_sessions", actor=user.actor, data={"closed": closed})
    return closed


@transaction.atomic
def accept_terms(user: User, *, terms):
    _, created = TermsAcceptance.objects.get_or_create(user=user, terms=terms)
    if created:
        record(f"user:{user.pk}", "accept_terms", actor=user.actor, data={"version": terms.version})


@transaction.atomic
def choose_letters(user: User, *, daily: bool, weekly: bool | None = None):
    """One letter a day, or each at once: then what was held leaves now. `weekly`: agents choose it too."""
    person = User.objects.select_for_update(of=("self",)).get(pk=user.pk)
    weekly = person.wants_weekly_letter if weekly is None else weekly
    if (daily, weekly) == (person.wants_daily_letter, person.wants_weekly_letter):
        return
    User.objects.filter(pk=user.pk).update(wants_daily_letter=daily, wants_weekly_letter=weekly)
    if person.wants_daily_letter and not daily:
        release(user.email)
    data = {"daily": daily} if user.is_referent else {"daily": daily, "weekly": weekly}
    record(f"user:{user.pk}", "choose_letters", actor=user.actor, data=data)


@transaction.atomic
def vouch_for(user: User, *, by: User):
    """An administrator made or corrected this account: its mailbox needs no activation."""
    EmailAddress.objects.filter(user=user).exclude(email__iexact=user.email).delete()
    EmailAddress.objects.update_or_create(
        user=user, email=user.email.lower(), defaults={"verified": True, "primary": True}
    )
    record(f"user:{user.pk}", "vouch_for", actor=by.actor, data={"role": user.role, "is_active": user.is_active})


@transaction.atomic
def change_establishment(person: User, *, by: User, to: Establishment) -> bool:
    """An administrator mends a wrong choice: the person, and those whom they join, are told. False if it is theirs.

    Raises CannotMove: a dossier stays with its establishment, so whoever holds one gives it to a colleague first.
    """
    to = Establishment.objects.select_for_update(of=("self",)).select_related("legal_entity", "ght").get(pk=to.pk)
    person = User.objects.select_for_update(of=("self",)).get(pk=person.pk)
    former = person.establishment
    if former is None:
        raise CannotMove("Seul un référent représente un établissement.")
    if former == to:
        return False
    if refusal := rules.why_not_join(to) or rules.why_not_leave(person):
        raise CannotMove(refusal)
    person.establishment = to
    person.save(update_fields=["establishment"])
    data = {"from": _named(former), "to": _named(to)}
    record(f"user:{person.pk}", "change_establishment", actor=by.actor, message=f"De {former} à {to}", data=data)
    emails.establishment_changed(person, former).save()
    if person.is_active:
        _tell_colleagues(person)
    return True


def _named(establishment: Establishment) -> dict:
    return {"establishment": establishment.pk, "finess": establishment.finess, "name": str(establishment)}


class Outcome(enum.Enum):
    RIGHT = "right"
    WRONG = "wrong"  # `tries_left` says how often one may still try
    SPENT = "spent"  # expired, used, or tried too often: a new code is needed
    WAIT = "wait"  # not even looked at before `until`


@dataclass(frozen=True)
class Verdict:
    """What became of a code that was typed."""

    outcome: Outcome
    tries_left: int = 0
    until: datetime | None = None


@transaction.atomic
def open_sign_in(user: User) -> SignInCode:
    """The password was right: a new attempt, with its own mailed code."""
    SignInCode.objects.filter(user=user, created_at__lt=timezone.now() - CODES_KEPT).delete()
    attempt = SignInCode.objects.create(user=user, name="code", confirmed=False)
    emails.code(attempt, attempt.renew()).save()
    return attempt


@transaction.atomic
def send_new_code(attempt: SignInCode) -> datetime | None:
    """Mail a new code, which alone is good from now on; or the instant before which none may be asked."""
    attempt = SignInCode.objects.select_for_update(of=("self",)).get(pk=attempt.pk)
    allowed, reason = attempt.generate_is_allowed()
    if not allowed:
        return reason["next_generation_at"]
    cancel(attempt.letters_subject, ["code"])
    emails.code(attempt, attempt.renew()).save()
    return None


@transaction.atomic
def check_code(attempt: SignInCode, typed: str) -> Verdict:
    """Look at a typed code under the limits. Nothing is raised in here: failures must be committed."""
    # The person first: attempts of one account count together, however many run at once.
    list(User.objects.select_for_update(of=("self",)).filter(pk=attempt.user_id))
    attempt = SignInCode.objects.select_for_update(of=("self",)).get(pk=attempt.pk)
    until = throttled_until(attempt.user_id, "failures")
    if until:
        return Verdict(Outcome.WAIT, until=until)
    if not attempt.token or not attempt.tries_left or timezone.now() >= attempt.valid_until:
        return Verdict(Outcome.SPENT)
    if attempt.verify_token(typed):
        if attempt.confirmed:  # else the application has its word: accounts.second_factor
            record(f"user:{attempt.user_id}", "sign_in", actor=attempt.user.actor)
        return Verdict(Outcome.RIGHT)
    attempt.tries_left -= 1
    attempt.failures += 1
    attempt.save(update_fields=["tries_left", "failures"])
    return Verdict(Outcome.WRONG, tries_left=attempt.tries_left)


def throttled_until(user_id: int, counter: str) -> datetime | None:
    """While an account had too many wrong codes in a day: when the oldest of them will be a day old.

    `counter`: the column that counts them.
    """
    since = timezone.now() - timedelta(days=1)
    failed = SignInCode.objects.filter(user=user_id, created_at__gt=since, **{f"{counter}__gt": 0})
    counts = list(failed.order_by("created_at").values_list("created_at", counter))
    excess = sum(count for _, count in counts) - FAILED_CODES_PER_DAY
    for created_at, count in counts:
        if excess < 0:
            break
        excess -= count
        if excess < 0:
            return created_at + timedelta(days=1)
    return None


def _send(letter: Letter):
    """Write the letter, unless this mailbox had enough of them in the last hour."""
    recent = Letter.objects.filter(
        name=letter.name, recipient__iexact=letter.recipient, created_at__gt=timezone.now() - timedelta(hours=1)
    )
    if recent.count() < LETTERS_PER_HOUR:
        letter.save()


def _time_to_activate() -> timedelta:
    return timedelta(days=EMAIL_CONFIRMATION_EXPIRE_DAYS)
