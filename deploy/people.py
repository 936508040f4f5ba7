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
from establishments.models import Establishment, Region

PASSWORD = "Essai-de-production-2026"  # noqa: S105 (of a trial)
DOMAIN = "domaine-recette"


FIRST = (["import_finess", str(settings.BASE_DIR / "fixtures" / "finess")], ["load_terms"], ["load_domains"])


def main(count: int) -> None:
    if not Establishment.objects.exists():
        for command in FIRST:
            call_command(*command, stdout=sys.stderr)
    password = make_password(PASSWORD)
    people = [
        _account(f"essai.{rank:05}", password, role=User.Role.REFERENT, establishment=place)
        for rank, place in enumerate(Establishment.objects.order_by("pk")[:count])
    ]
    agents = []
    for region in Region.objects.order_by("pk"):
        agents.append(_account(f"essai.ars.{region.pk}", password, role=User.Role.ARS))
        agents[-1].regions.set([region])
    told = {
        "domain": Domain.objects.get(slug=DOMAIN).name,
        "people": [_credentials(one) for one in people],
        "agents": [_credentials(one) for one in agents],
    }
    json.dump(told, sys.stdout)


def _account(name: str, password: str, **more) -> User:
    """Open, its e-mail verified, the terms in force accepted."""
    names = {"civility": "madame", "first_name": "Essai", "last_name": name, "phone": "+33123456789"}
    kept = {"email": f"{name}@exemple.fr", "password": password} | names | more
    person, is_new = User.objects.get_or_create(username=name, defaults=kept)
    if is_new:
        EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
        accept_terms(person, terms=Terms.objects.in_force())
    return person


def _credentials(person: User) -> dict[str, str]:
    return {"username": person.username, "email": person.email, "password": PASSWORD}


if __name__ == "__main__":
    main(int(sys.argv[1]))
