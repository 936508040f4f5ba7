from django.apps import AppConfig

from ecare.letters import rules as letters


class FundingConfig(AppConfig):
    name = "funding"
    verbose_name = "Financement"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        letters.may_wait("envelope_near")
