from django.apps import AppConfig

from ecare.letters import rules as letters


class SystemsConfig(AppConfig):
    name = "systems"
    verbose_name = "Systèmes"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        letters.check_before_sending("token_expiring", "systems.reminders.is_still_true")
