from django.apps import AppConfig

from ecare.letters import rules as letters


class ReviewsConfig(AppConfig):
    name = "reviews"
    verbose_name = "Vérification"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        letters.may_wait("opinion_asked", "opinion_given")
        letters.call_to_act("opinion_asked")
