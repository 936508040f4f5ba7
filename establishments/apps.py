from django.apps import AppConfig


class EstablishmentsConfig(AppConfig):
    name = "establishments"
    verbose_name = "Établissements"
    default_auto_field = "django.db.models.BigAutoField"
