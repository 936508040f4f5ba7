"""What the addresses of conventions and of reports name, on the demo."""

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from accounts.models import User
from applications.models import Application
from applications.states import State
from conventions.actions import send_copy
from demo.specimens import pdf
from evidence.models import Evidence
from evidence.purges import report_patient_data


def controlled_file():
    found = Evidence.objects.filter(application__state=State.UNDER_CONTROL, application__establishment__region="76")
    return [found.first().file_id]


def reported():
    said = {"by": User.objects.get(username="ars.occitanie"), "reason": "Page 3, une liste.", "at": timezone.now()}
    return [report_patient_data(Evidence.objects.get(file__in=controlled_file()), **said).pk]


def signed_copy():
    held = Application.objects.get(state=State.ACCEPTED)
    send_copy(held, by=held.referent, upload=SimpleUploadedFile("c.pdf", pdf()), at=timezone.now())
    return [held.reference]
