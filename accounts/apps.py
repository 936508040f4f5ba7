from django.apps import AppConfig

from ecare import sealing
from ecare.letters import rules as letters


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "Comptes"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        sealing.keeps("accounts.Authenticator", "sealed_key", purpose="authenticator")
        letters.may_wait("colleague_registered")
        letters.gather_for("accounts.rules.wants_daily_letter")
