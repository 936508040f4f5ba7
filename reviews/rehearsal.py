"""What a click would write to whom: the verb itself is run, its letters are read, and all of it is undone."""

from collections.abc import Callable

from django.core.exceptions import PermissionDenied
from django.db import transaction

from applications.actions import NotNow
from ecare.letters.models import Letter


def letters_of(act: Callable[[], object], *, subject: str) -> list[Letter]:
    """One letter of each kind and page that the verb would write, in the order in which it writes them; none if it
    refuses."""
    with transaction.atomic():
        known = set(Letter.objects.about(subject).values_list("pk", flat=True))
        try:
            act()
            found = list(Letter.objects.about(subject).exclude(pk__in=known).order_by("created_at"))
        except (NotNow, PermissionDenied):
            found = []
        transaction.set_rollback(True)
    return list({(letter.name, letter.link): letter for letter in reversed(found)}.values())[::-1]
