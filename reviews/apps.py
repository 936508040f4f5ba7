from django.apps import AppConfig

from ecare.letters import rules as letters
from evidence import holders


class ReviewsConfig(AppConfig):
    name = "reviews"
    verbose_name = "Vérification"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        holders.may_hold("convention", "Convention signée", reopen="reviews.actions.reopen")
        letters.may_wait("dossiers_assigned", "opinion_asked", "opinion_given")
        letters.call_to_act("dossiers_assigned", "opinion_asked")
        for name in ("opinion_asked", "opinion_given"):
            letters.check_before_sending(name, "applications.people.still_reads")
        letters.check_before_sending("dossiers_assigned", "reviews.assignments.are_still_followed")
