from django.apps import AppConfig


class SteeringConfig(AppConfig):
    name = "steering"
    verbose_name = "Pilotage"
    default_auto_field = "django.db.models.BigAutoField"
