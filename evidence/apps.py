from django.apps import AppConfig
from django.db.models import Q

from applications import moves
from ecare import metrics, sealing
from ecare.journal import rules as journal
from ecare.letters import rules as letters
from evidence import vault


class EvidenceConfig(AppConfig):
    name = "evidence"
    verbose_name = "Preuves"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        metrics.watch("evidence.metrics.measures")
        sealing.keyring()  # a malformed key stops the start, not the first file
        sealing.keeps("evidence.Container", "password", purpose="container")
        vault.keeps("evidence.StoredFile", ~Q(scan="purged"))
        vault.keeps(
            "evidence.UploadPart",
            context=lambda part: part.upload.context_of(part.rank),
            size=lambda part: part.upload.length_of(part.rank),
        )
        journal.forget_name_after("purge_evidence")
        moves.let_object("submit", "evidence.quarantine.refuse_infected")
        letters.may_wait("pool_low", "quarantine_lifted")
        letters.call_to_act("pool_low", "patient_data_reported", "file_quarantined")
        for name in (
            "patient_data_reported",
            "report_dismissed",
            "evidence_purged",
            "file_quarantined",
            "quarantine_lifted",
            "withheld_file_replaced",
        ):
            letters.check_before_sending(name, "applications.people.still_reads")
        letters.check_before_sending("patient_data_reported", "evidence.purges.is_still_open")
        letters.check_before_sending("file_quarantined", "evidence.quarantine.is_still_in_quarantine")
