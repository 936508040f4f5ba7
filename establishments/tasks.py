"""Doors of the worker."""

import logging
import time
from contextlib import contextmanager

from celery import shared_task
from django.utils import timezone

from ecare import tracing
from ecare.french import thousands
from establishments import imports
from establishments.actions import import_directory
from establishments.models import ImportRequest
from establishments.readers import UnreadableFile, read_folder

log = logging.getLogger(__name__)

BETWEEN_NOTES = 1.0  # seconds


@shared_task
def run_imports() -> bool:
    """Try, or carry out, one import that an administrator asked for."""
    request = imports.claim(timezone.now())
    if request is None:
        return False
    with tracing.work("import", request.pk, request_id=request.request_id):
        _run(request)
    return True


@shared_task
def forget_imports() -> int:
    """Those that nobody confirmed."""
    return imports.forget(timezone.now())


def _run(request: ImportRequest) -> None:
    try:
        with imports.unpacked(request) as folder:
            directory = read_folder(folder, progress=_teller(request))
        imports.note(request, "Comparaison avec le répertoire", at=timezone.now())
        by = (request.actor, request.by)
        if request.state == ImportRequest.State.TRIAL:
            after = imports.latest()
            imports.tried(request, import_directory(directory, by=by, dry_run=True), after=after)
        else:
            imports.run(request, lambda: import_directory(directory, by=by))
    except (UnreadableFile, imports.CannotUnpack) as fault:
        imports.fail(request, str(fault))
    except Exception:
        log.exception("The import %s stopped", request.pk)  # its lease runs out, and it is taken again


def _teller(request: ImportRequest):
    """A progress bar that writes into the row, once a second."""

    class Bar:
        def __init__(self, label: str, total: int):
            self.label, self.total, self.done, self.told = label, total, 0, 0.0

        def update(self, count: int) -> None:
            self.done += count
            if time.monotonic() - self.told > BETWEEN_NOTES:
                self.told = time.monotonic()
                said = f"{self.label} : {thousands(self.done)} lignes sur {thousands(self.total)}"
                imports.note(request, said, at=timezone.now())

    @contextmanager
    def progress(label: str, total: int):
        yield Bar(label, total)

    return progress
