from django.apps import AppConfig

from ecare import metrics


class JournalConfig(AppConfig):
    name = "ecare.journal"
    verbose_name = "Journal"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        metrics.watch("ecare.journal.metrics.measures")
