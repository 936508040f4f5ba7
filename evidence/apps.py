from django.apps import AppConfig
from django.db.models import Q

from ecare import sealing
from ecare.journal import rules as journal
from ecare.letters import rules as letters
from evidence import vault


class EvidenceConfig(AppConfig):
    name = "evidence"
    verbose_name = "Preuves"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        sealing.keyring()  # a malformed key stops the start, not the first file
        sealing.keeps("evidence.Container", "password", purpose="container")
        vault.keeps("evidence.StoredFile", ~Q(scan="purged"))
        vault.keeps(
            "evidence.UploadPart",
            context=lambda part: part.upload.context_of(part.rank),
            size=lambda part: part.upload.length_of(part.rank),
        )
        journal.forget_name_after("purge_evidence")
        letters.may_wait("pool_low")
        letters.call_to_act("pool_low", "patient_data_reported")
        for name in ("patient_data_reported", "report_dismissed", "evidence_purged"):
            letters.check_before_sending(name, "applications.people.still_reads")
        letters.check_before_sending("patient_data_reported", "evidence.purges.is_still_open")
