"""How files come in, on every page: sealed while they are received, so that no plain copy touches a disk."""

from collections import Counter

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler

from applications.models import Application, Question
from ecare.receiving import MEGABYTE, intake_of
from evidence.vault import Spool

MOST_BYTES = 200 * MEGABYTE  # the largest file that a space may allow
MOST_IN_ALL = 1024 * MEGABYTE  # of one request, whatever its page takes


class SealedUpload(UploadedFile):
    """An uploaded file whose bytes rest encrypted in its spool; it reads like any other."""

    def __init__(self, spool: Spool, *, field_name: str, name: str, content_type: str, charset: str | None):
        reader = spool.reader()
        super().__init__(reader, name, content_type, reader.size, charset)  # type: ignore[arg-type]
        self.field_name, self.spool = field_name, spool

    def close(self):
        self.spool.close()


class SealedUploadHandler(FileUploadHandler):
    """Keeps at most one byte more than the limit: enough to know that a file is too large.

    `limits` by field name: a file for any other field is thrown away as it comes. Without them the view says what it
    takes (`ecare.receiving.receives`); by default nothing.
    """

    def __init__(self, request=None, *, limits: dict[str, int] | None = None):
        super().__init__(request)
        self.limits = limits
        self.interrupted = ""
        self._spool = None
        self._in_all = MOST_IN_ALL
        self._came: Counter[str] = Counter()

    def new_file(self, field_name, *args, **kwargs):
        super().new_file(field_name, *args, **kwargs)
        limit = self._limit(field_name)
        self._came[field_name] += 1
        self._remaining = 0 if limit is None else min(limit, self._in_all) + 1
        # Not SkipFile: Django would report a file that is skipped last as interrupted.
        self._spool = None if limit is None else Spool()

    def _limit(self, field_name: str) -> int | None:
        """None: thrown away as it comes."""
        if self.limits is not None:
            return self.limits.get(field_name)
        intake = intake_of(self.request)
        return intake.limit(self.request.user, field_name, self._came[field_name]) if intake else None

    def receive_data_chunk(self, raw_data, start):
        kept = raw_data[: self._remaining]
        self._remaining -= len(kept)
        self._in_all -= len(kept)
        if kept:
            self._spool.write(kept)

    def file_complete(self, file_size):
        if self._spool is None:
            return None
        spool, self._spool = self._spool.finish(), None
        return SealedUpload(
            spool,
            field_name=self.field_name,
            name=self.file_name,
            content_type=self.content_type,
            charset=self.charset,
        )

    def upload_interrupted(self):
        """The body ended in the middle of a file: it is as if it had not been sent."""
        self.interrupted = self.file_name
        if self._spool is not None:
            self._spool.close()


# --- what a page without script has to say after its files were looked at ------------------------------------------
def keep_refusals(request, application: Application, refused: dict[str, list[tuple[str, str]]]) -> None:
    """Until the form is shown again: by question key, the names and reasons."""
    if refused:
        request.session[f"refused:{application.reference}"] = refused


def take_refusals(request, application: Application, question: Question) -> list[tuple[str, str]]:
    kept = request.session.get(f"refused:{application.reference}", {})
    if question.key not in kept:
        return []
    found = kept.pop(question.key)
    request.session.modified = True
    return found
