"""The law of an account: may it move to another establishment, be invited, lose its access; what it must prove; may its
letters wait."""

from django.conf import settings

from accounts.models import EmailCorrection, Invitation, User
from ecare.french import paris_datetime
from establishments.models import Establishment


def wants_daily_letter(email: str) -> bool:
    """Whether the owner of this mailbox chose one letter a day."""
    return User.objects.filter(email__iexact=email, wants_daily_letter=True).exists()


def why_not_leave(person: User) -> str:
    """Why this person may not leave their establishment now, as a sentence; empty when they may.

    Asked through the reverse relation: what keeps a dossier in place stays the word of the room above.
    """
    held = list(person.applications.in_place().order_by("pk").values_list("reference", flat=True))
    if not held:
        return ""
    dossiers = f"le dossier n° {held[0]}" if len(held) == 1 else f"les dossiers n° {', '.join(held)}"
    return (
        f"Cette personne suit encore {dossiers} de son établissement. Avant de la rattacher ailleurs, il faut qu’elle "
        "les transfère à un collaborateur depuis son compte, ou qu’un collaborateur en obtienne la reprise."
    )


def why_not_join(establishment: Establishment) -> str:
    """Why nobody may be moved to this establishment now, as a sentence; empty when one may."""
    if establishment.closed_on is None:
        return ""
    return "Cet établissement est fermé dans le répertoire FINESS : choisissez-en un qui est ouvert."


# --- another e-mail, by an administrator -----------------------------------------------------------------------------
TAKEN = "Cette adresse a déjà un compte : écrivez-en une autre."


def why_not_correct_email(person: User, *, by: User | None, email: str) -> str:
    """Why this administrator may not give a person this e-mail, as a sentence; empty when they may."""
    if person == by:
        return (
            "Vous ne pouvez pas changer ici votre propre adresse : demandez-le sous « Votre compte », où vos deux "
            "adresses le confirment."
        )
    return TAKEN if is_taken(email, by_other_than=person) else ""


def is_taken(email: str, *, by_other_than: User) -> bool:
    """By an account that was activated; one that never was gives way."""
    waiting = User.objects.awaiting_activation().values("pk")
    return User.objects.filter(email__iexact=email).exclude(pk__in=waiting).exclude(pk=by_other_than.pk).exists()


def masked(email: str) -> str:
    """« c…@exemple.fr »: what the journal, which is never erased, keeps of an address."""
    name, _, domain = email.partition("@")
    return f"{name[:1]}…@{domain}"


def why_not_reset_second_factor(person: User) -> str:
    """Why nobody may reset it now, as a sentence; empty when one may."""
    correction = EmailCorrection.objects.held().filter(user=person).first()
    if correction is None:
        return ""
    return (
        f"{person} : son adresse e-mail vient d’être remplacée. Sa double authentification peut être réinitialisée à "
        f"partir du {paris_datetime(correction.until)}."
    )


# --- agents -------------------------------------------------------------------------------------------------------
def why_not_invite(email: str) -> str:
    """Why nobody may be invited with this e-mail now, as a sentence; empty when one may.

    An account that was never activated gives way, as it does to another registration.
    """
    owner = User.objects.filter(email__iexact=email).first()
    if owner and not User.objects.awaiting_activation().filter(pk=owner.pk).exists():
        state = "" if owner.is_active else ", désactivé"
        return (
            f"Cette adresse a déjà un compte : {owner} ({owner.get_role_display()}{state}). Ouvrez-le sous "
            "« Personnes » pour changer son rôle ou le réactiver, ou invitez la personne à une autre adresse."
        )
    unanswered = Invitation.objects.unanswered().filter(email__iexact=email).first()
    if unanswered is None:
        return ""
    return (
        f"Cette adresse a déjà une invitation {unanswered.state.label.lower()}. Utilisez « Renvoyer » pour lui envoyer "
        "un nouveau lien, ou « Révoquer » avant de l’inviter avec un autre rôle."
    )


def why_not_change_access(person: User, *, by: User | None, role: str, is_active: bool) -> str:
    """Why this administrator may not give a person this role or this activity, as a sentence; empty if they may."""
    if person == by and not is_active:
        return "Vous ne pouvez pas désactiver votre propre compte : demandez-le à un autre administrateur."
    if person == by and role != person.role:
        return "Vous ne pouvez pas changer votre propre rôle : demandez-le à un autre administrateur."
    administrators = User.objects.administrators()
    leaves = not is_active or role != User.Role.ADMINISTRATOR
    if leaves and administrators.filter(pk=person.pk).exists() and not administrators.exclude(pk=person.pk).exists():
        return "C’est le dernier administrateur actif : invitez-en d’abord un autre, et attendez qu’il ait accepté."
    return ""


# --- second factor ------------------------------------------------------------------------------------------------
def may_enrol(user: User) -> bool:
    """Agents alone have a second factor; whoever has one may look after it, also once they are a référent."""
    return not user.is_referent or user.second_factor_since is not None


def second_factor_is_required_of(user: User) -> bool:
    """Of whoever has this role, enrolled or not."""
    return user.role in settings.SECOND_FACTOR_REQUIRED_FOR


def must_enrol(user: User) -> bool:
    """Whether this person may do nothing else before they have a second factor."""
    return second_factor_is_required_of(user) and user.second_factor_since is None
