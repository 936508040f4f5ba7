from django.apps import AppConfig

from ecare import metrics


class EstablishmentsConfig(AppConfig):
    name = "establishments"
    verbose_name = "Établissements"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        metrics.watch("establishments.metrics.measures")
