from django.apps import AppConfig

from ecare import health, metrics, sealing
from ecare.journal import rules as journal


class LettersConfig(AppConfig):
    name = "ecare.letters"
    verbose_name = "Courriers"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        metrics.watch("ecare.letters.metrics.measures")
        health.check("mail", "ecare.letters.metrics.check_mail")
        sealing.keeps("letters.Letter", "secret", purpose="letter")
        journal.tell_when_anchored("ecare.letters.actions.tell_auditor")
