"""The law of an account: may it move to another establishment; may its letters wait."""

from accounts.models import User
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
