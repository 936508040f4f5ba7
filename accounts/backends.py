"""Who may prove to be whom, and what an administrator may do in the administration."""

from allauth.account.auth_backends import AuthenticationBackend
from django.apps import apps

from accounts.models import User

OURS = frozenset(
    "accounts applications conventions establishments evidence journal letters reviews systems webhooks".split()
)
VERBS = ("view", "add", "change", "delete")


class ActivatedBackend(AuthenticationBackend):
    """An account that awaits its activation answers like one that does not exist.

    Otherwise somebody who registers with another's e-mail would learn whether an account was made for it.
    """

    def authenticate(self, request, **credentials):
        self._refused: set[int] = set()
        return super().authenticate(request, **credentials)

    def _check_password(self, user, password):
        """Once for each person: allauth looks for what was typed as a name, then as an e-mail, and finds the owner of
        an e-mail both times. A second hash would tell by its time that the e-mail has an account."""
        if user is None or user.pk in self._refused:
            return None
        self._refused.add(user.pk)
        user = super()._check_password(user, password)
        return user if user and User.objects.activated().filter(pk=user.pk).exists() else None


class AdministratorBackend:
    """Administrators are staff, never superusers: they hold the model permissions of our rooms and no other.

    What nobody may do by hand (change the journal, remove a dossier) each ModelAdmin refuses itself.
    """

    def authenticate(self, request, **credentials):
        return None

    def has_perm(self, user, permission, obj=None):
        room, _, codename = permission.partition(".")
        verb, _, model = codename.partition("_")
        return self.has_module_perms(user, room) and verb in VERBS and model in apps.all_models[room]

    def has_module_perms(self, user, room):
        is_administrator = user.is_active and getattr(user, "role", None) == User.Role.ADMINISTRATOR
        return bool(is_administrator and user.is_staff and room in OURS)
