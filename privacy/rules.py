"""May the data of this person be erased now?"""

from accounts.models import User
from systems.models import System

ERASED = "Personne effacée"
NOBODY = "efface-{pk}@personne.invalid"


def is_erased(person: User) -> bool:
    return person.email == NOBODY.format(pk=person.pk)


def why_not_erase(person: User, *, by: User | None) -> str:
    """Why not, as a sentence that says what to do first; empty when they may be."""
    if person == by:
        return "Vous ne pouvez pas effacer votre propre compte : demandez-le à un autre administrateur."
    if is_erased(person):
        return "Les données de cette personne sont déjà effacées."
    if person.role == User.Role.ADMINISTRATOR and not User.objects.administrators().exclude(pk=person.pk).exists():
        return "C’est le dernier administrateur actif : invitez-en d’abord un autre, et attendez qu’il ait accepté."
    held = list(person.applications.under_way().order_by("pk").values_list("reference", flat=True))
    if held:
        return (
            f"{person} suit encore {'le dossier' if len(held) == 1 else 'les dossiers'} n° {', '.join(held)}. Un "
            "collaborateur doit d’abord en obtenir la reprise."
        )
    system = System.objects.filter(contact__iexact=person.email).first()
    if system is not None:
        return f"{person} répond du système « {system} » : donnez d’abord à celui-ci une autre adresse."
    return ""
