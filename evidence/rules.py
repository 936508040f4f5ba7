"""What the law of the vault says: who may download, and what is known of a file that nobody scanned yet."""

from django.conf import settings

from accounts.models import User
from evidence.models import Evidence, StoredFile


def may_download(user: User, evidence: Evidence) -> bool:
    """Of those who see it. A container is for the ANS alone; its référent gets back what they put in."""
    if evidence.file.scan == StoredFile.Scan.CONTAINER:
        return user.is_ans or evidence.application.referent_id == user.pk
    return True


def first_scan(extension: str) -> str:
    """The state in which a file enters: the antivirus, where there is one, takes it from here."""
    if extension == "zed":
        return StoredFile.Scan.CONTAINER
    return StoredFile.Scan.NOT_SCANNED if settings.EMBEDDED else StoredFile.Scan.PENDING
