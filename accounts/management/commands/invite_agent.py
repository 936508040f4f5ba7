"""Invites an agent from the command line: how the first administrator comes in."""

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email

from accounts.agents import CannotInvite, invite
from accounts.models import Invitation, User
from accounts.models.invitations import INVITED_ROLES
from establishments.models import Region


class Command(BaseCommand):
    help = "Invite un agent par courrier : le premier administrateur, ou tout autre."

    def add_arguments(self, parser):
        parser.add_argument("email")
        parser.add_argument("--role", choices=[value for value, _ in INVITED_ROLES], default=User.Role.ADMINISTRATOR)
        parser.add_argument("--region", action="append", default=[], help="Code INSEE d’une région, pour une ARS.")

    def handle(self, *, email, role, region, **options):
        try:
            validate_email(email)
        except ValidationError:
            raise CommandError(f"{email} : ce n’est pas une adresse e-mail.") from None
        regions = list(Region.objects.filter(pk__in=region))
        if unknown := set(region) - {one.pk for one in regions}:
            raise CommandError(f"Régions inconnues : {', '.join(sorted(unknown))}.")
        if (role == User.Role.ARS) != bool(regions):
            raise CommandError("Une ou plusieurs régions pour une ARS (--region), aucune sinon.")
        try:
            invitation = invite(Invitation(email=email, role=role), regions=regions, by=None)
        except CannotInvite as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write(f"Invitation à {invitation}, valable sept jours.")
