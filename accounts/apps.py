from django.apps import AppConfig

from ecare.letters import rules as letters


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "Comptes"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        letters.may_wait("colleague_registered")
        letters.gather_for("accounts.rules.wants_daily_letter")
