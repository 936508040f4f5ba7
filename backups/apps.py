from django.apps import AppConfig


class BackupsConfig(AppConfig):
    name = "backups"
    verbose_name = "Sauvegardes"
    default_auto_field = "django.db.models.BigAutoField"
