from django.apps import AppConfig

from ecare.letters import rules as letters
from evidence import holders


class ConventionsConfig(AppConfig):
    name = "conventions"
    verbose_name = "Conventions"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        holders.may_hold("signed_copy", "Exemplaire signé de la convention", reopen="conventions.actions.reopen")
        letters.may_wait("convention_to_countersign", "signature_reminder")
        letters.call_to_act("convention_to_countersign", "signed_copy_refused", "signature_reminder")
        letters.check_before_sending("signature_reminder", "conventions.reminders.is_still_true")
        letters.check_before_sending("convention_to_countersign", "conventions.actions.is_still_waiting")
