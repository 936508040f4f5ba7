from django.apps import AppConfig
from django.contrib.auth.signals import user_login_failed

from ecare import metrics, sealing
from ecare.letters import rules as letters


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "Comptes"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        metrics.watch("accounts.metrics.measures")
        user_login_failed.connect(_count_wrong_password)
        sealing.keeps("accounts.Authenticator", "sealed_key", purpose="authenticator")
        letters.may_wait("colleague_registered")
        letters.gather_for("accounts.rules.wants_daily_letter")


def _count_wrong_password(**said):
    """Neither the name that was typed nor the password."""
    metrics.count_refusal("password")
