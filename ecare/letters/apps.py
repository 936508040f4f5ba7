from django.apps import AppConfig


class LettersConfig(AppConfig):
    name = "ecare.letters"
    verbose_name = "Courriers"
    default_auto_field = "django.db.models.BigAutoField"
