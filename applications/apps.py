from django.apps import AppConfig

from applications.states import REVIEWER_LABELS
from ecare import metrics
from ecare.journal import words
from ecare.letters import rules as letters


class ApplicationsConfig(AppConfig):
    name = "applications"
    verbose_name = "Candidatures"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        metrics.watch("applications.metrics.measures")
        words.name_states(REVIEWER_LABELS)
        letters.may_wait(
            "to_review",
            "sent_back",
            "passed_to_ans",
            "contacts_changed",
            "reminder",
            "establishment_closed",
            "take_over_to_decide",
        )
        letters.call_to_act(
            "to_review",
            "sent_back",
            "changes_requested",
            "due_date_moved",
            "declaration_opened",
            "reminder",
            "take_over_to_decide",
            "establishment_closed",
            "desk_digest",
        )
        for name in ("to_review", "sent_back", "contacts_changed", "take_over_to_decide"):
            letters.check_before_sending(name, "applications.people.still_reads")
        letters.check_before_sending("desk_digest", "applications.digests.is_still_true")
        letters.check_before_sending("reminder", "applications.reminders.is_still_true")
        letters.check_before_sending("establishment_closed", "applications.closures.is_still_true")
        letters.check_before_sending("take_over_to_decide", "applications.people.is_still_asked")
