"""What a click would write to whom: the verb itself is run, its letters are read, and all of it is undone."""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction

from applications.actions import NotNow
from ecare.letters.models import Letter


def letters_of(act: Callable[[], Any], *, subject: str | Callable[[Any], str]) -> list[Letter]:
    """One letter of each kind and page that the verb would write, in the order in which it writes them; none if it
    refuses.

    `subject`: what the letters are about; where the verb makes it, a function of what the verb returns.
    """
    known: set = set()
    with transaction.atomic():
        if isinstance(subject, str):
            known = set(Letter.objects.about(subject).values_list("pk", flat=True))
        try:
            made = act()
            about = subject if isinstance(subject, str) else subject(made)
            found = list(Letter.objects.about(about).exclude(pk__in=known).order_by("created_at"))
        except (NotNow, PermissionDenied):
            found = []
        transaction.set_rollback(True)
    return list({(letter.name, letter.link): letter for letter in reversed(found)}.values())[::-1]
