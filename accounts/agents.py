"""Agents: who is invited, who accepts, who loses their access and gets it back."""

from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import actions, emails, rules, usernames
from accounts.actions import Person, UsernameTaken
from accounts.models import EmailChange, Invitation, OpenSession, User
from ecare.journal.actions import SYSTEM, record
from ecare.letters.actions import cancel, cancel_calls
from establishments.models import Establishment, Region


class CannotInvite(Exception):
    """The sentence says why, and what to do instead."""


class InvitationOver(Exception):
    """Accepted, revoked or expired meanwhile, or its e-mail has an account by now."""


class CannotChangeAccess(Exception):
    """The sentence says why."""


# --- invitations --------------------------------------------------------------------------------------------------
def invite(invitation: Invitation, *, regions: list[Region], by: User | None) -> Invitation:
    """Send a role to an e-mail; `invitation` is unsaved, `by` an administrator or, from the command line, nobody.

    Raises CannotInvite.
    """
    try:
        with transaction.atomic():
            return _invite(invitation, regions, by)
    except IntegrityError:  # another administrator was faster
        raise CannotInvite(rules.why_not_invite(invitation.email)) from None


def _invite(invitation: Invitation, regions: list[Region], by: User | None) -> Invitation:
    invitation.email, invitation.by = invitation.email.lower(), by
    if refusal := rules.why_not_invite(invitation.email):
        raise CannotInvite(refusal)
    secret = invitation.renew()
    invitation.save()
    invitation.regions.set(regions)
    data = {"email": invitation.email, "role": invitation.role, "regions": [region.pk for region in regions]}
    record(invitation.subject, "invite", actor=by.actor if by else SYSTEM, data=data)
    emails.invitation(invitation, secret).save()
    return invitation


@transaction.atomic
def resend_invitation(invitation: Invitation, *, by: User) -> bool:
    """A new link, good for seven days, which makes the former one useless. False when it was answered meanwhile."""
    found = Invitation.objects.unanswered().select_for_update(of=("self",)).filter(pk=invitation.pk).first()
    if found is None or _has_account(found.email):
        return False
    cancel(found.subject, ["invitation"])
    secret = found.renew()
    found.save()
    record(found.subject, "resend_invitation", actor=by.actor)
    emails.invitation(found, secret).save()
    return True


@transaction.atomic
def revoke_invitation(invitation: Invitation, *, by: User) -> bool:
    """Its link opens nothing any more. False when it was answered meanwhile."""
    found = Invitation.objects.unanswered().select_for_update(of=("self",)).filter(pk=invitation.pk).first()
    if found is None:
        return False
    cancel(found.subject, ["invitation"])
    found.revoked_at = timezone.now()
    found.save(update_fields=["revoked_at"])
    record(found.subject, "revoke_invitation", actor=by.actor)
    return True


def accept_invitation(invitation: Invitation, person: Person, *, password_hash: str) -> User:
    """Open the account of whoever holds the link. Raises InvitationOver, UsernameTaken."""
    attempts = 3
    for attempt in range(1, attempts + 1):
        try:
            with transaction.atomic():
                return _accept(invitation, person, password_hash)
        except IntegrityError:
            # A registration came first, with the same name: it is taken; with the same e-mail: it gives way in turn.
            if not usernames.is_free(person.username, email=person.email):
                raise UsernameTaken from None
            if attempt == attempts:
                raise
    raise InvitationOver


def _accept(invitation: Invitation, person: Person, password_hash: str) -> User:
    found = Invitation.objects.select_for_update(of=("self",)).get(pk=invitation.pk)
    if found.state is not Invitation.State.WAITING or found.token != invitation.token or _has_account(found.email):
        raise InvitationOver
    actions.make_room_for(person)
    if not usernames.is_free(person.username, email=found.email):
        raise UsernameTaken
    user = _open_account(found, person, password_hash)
    found.accepted_at, found.person = timezone.now(), user
    found.save(update_fields=["accepted_at", "person"])
    cancel(found.subject, ["invitation"])
    for subject in (found.subject, f"user:{user.pk}"):
        record(subject, "accept_invitation", actor=user.actor, data={"role": user.role})
    return user


def _open_account(invitation: Invitation, person: Person, password_hash: str) -> User:
    user = User.objects.create(
        username=person.username,
        email=invitation.email,
        civility=person.civility,
        first_name=person.first_name,
        last_name=person.last_name,
        phone=person.phone,
        password=password_hash,
        role=invitation.role,
        is_staff=invitation.role == User.Role.ADMINISTRATOR,
    )
    user.regions.set(invitation.regions.all())
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
    return user


def _has_account(email: str) -> bool:
    """One that was never activated gives way."""
    waiting = User.objects.awaiting_activation().values("pk")
    return User.objects.filter(email__iexact=email).exclude(pk__in=waiting).exists()


# --- access -------------------------------------------------------------------------------------------------------
@transaction.atomic
def change_access(
    person: User, *, by: User, role: str, is_active: bool, establishment: Establishment | None = None
) -> bool:
    """An administrator gives another role, deactivates, or reactivates. False if nothing changes.

    Administrators are locked together: two of them never leave the portal without any. Raises CannotChangeAccess.
    """
    list(User.objects.select_for_update(of=("self",)).filter(role=User.Role.ADMINISTRATOR).order_by("pk"))
    person = User.objects.select_for_update(of=("self",)).get(pk=person.pk)
    if (role, is_active) == (person.role, person.is_active):
        return False
    if refusal := rules.why_not_change_access(person, by=by, role=role, is_active=is_active):
        raise CannotChangeAccess(refusal)
    former, was_active = person.role, person.is_active
    person.role, person.is_staff, person.is_active = role, role == User.Role.ADMINISTRATOR, is_active
    person.establishment = establishment if role == User.Role.REFERENT else None
    person.save(update_fields=["role", "is_staff", "is_active", "establishment"])
    if role != former:
        record(f"user:{person.pk}", "change_role", actor=by.actor, data={"from": former, "to": role})
    if is_active != was_active:
        record(f"user:{person.pk}", "reactivate" if is_active else "deactivate", actor=by.actor)
    if was_active and not is_active:
        shut_out(person)
    return True


def shut_out(person: User):
    """Nothing of what they began goes on; what they did stays in the history."""
    OpenSession.objects.filter(user=person).delete()
    actions.drop_sign_ins(person)
    EmailChange.objects.filter(user=person).delete()
    cancel(f"user:{person.pk}", ["password_reset", "email_change_requested", "email_change_to_confirm"])
    cancel_calls(person.email)
