from django.apps import AppConfig

from ecare import sealing


class LettersConfig(AppConfig):
    name = "ecare.letters"
    verbose_name = "Courriers"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        sealing.keeps("letters.Letter", "secret", purpose="letter")
