"""`python -m deploy.people COUNT`, in the environment of the portal: the directory, the terms, the domains; then, for
trials, référents of as many establishments, who accepted the terms. Prints them as JSON; again, the same ones."""

import json
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ecare.settings")
django.setup()

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.management import call_command

from accounts.actions import accept_terms
from accounts.models import Terms, User
from applications.models import Domain
from establishments.models import Establishment

PASSWORD = "Essai-de-production-2026"  # noqa: S105 (of a trial)
DOMAIN = "domaine-recette"


def main(count: int) -> None:

    if not Establishment.objects.exists():
        for command in (
            ["import_finess", str(settings.BASE_DIR / "fixtures" / "finess")],
            ["load_terms"],
            ["load_domains"],
        ):
            call_command(*command, stdout=sys.stderr)
    password = make_password(PASSWORD)
    people = []
    for rank, place in enumerate(Establishment.objects.order_by("pk")[:count]):
        name = f"essai.{rank:05}"
        person, is_new = User.objects.get_or_create(
            username=name,
            defaults={
                "email": f"{name}@exemple.fr",
                "password": password,
                "role": User.Role.REFERENT,
                "civility": "madame",
                "first_name": "Essai",
                "last_name": f"Numéro {rank}",
                "phone": "+33123456789",
                "establishment": place,
            },
        )
        if is_new:
            EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
            accept_terms(person, terms=Terms.objects.in_force())
        people.append({"username": name, "email": person.email, "password": PASSWORD})
    json.dump({"domain": Domain.objects.get(slug=DOMAIN).name, "people": people}, sys.stdout)


if __name__ == "__main__":
    main(int(sys.argv[1]))
