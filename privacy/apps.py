from django.apps import AppConfig

from ecare.letters import rules as letters


class PrivacyConfig(AppConfig):
    name = "privacy"
    verbose_name = "Données personnelles"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        letters.last_word("account_erased")
