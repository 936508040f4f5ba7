from django.apps import AppConfig
from django.db.models import Q

from ecare import metrics
from ecare.letters import rules as letters
from evidence import vault


class ExportsConfig(AppConfig):
    name = "exports"
    verbose_name = "Exports"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        metrics.watch("exports.metrics.measures")
        vault.keeps("exports.Export", Q(state="ready"))
        letters.check_before_sending("export_ready", "exports.rules.is_still_ready")
