from django.apps import AppConfig

from ecare.journal import rules as journal


class LettersConfig(AppConfig):
    name = "ecare.letters"
    verbose_name = "Courriers"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        journal.tell_when_anchored("ecare.letters.actions.tell_auditor")
