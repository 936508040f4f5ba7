"""Private storage in a folder; production may name an object store instead."""

import os
from pathlib import Path

from django.core.files.storage import FileSystemStorage

UNFINISHED = ".part"


class VaultStorage(FileSystemStorage):
    """A file is there whole and on the disk, or not at all, even if the machine stops in between."""

    def _save(self, name, content):
        path = Path(self.path(name))
        path.parent.mkdir(mode=self.directory_permissions_mode or 0o700, parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}{UNFINISHED}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, self.file_permissions_mode or 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                for chunk in content.chunks():
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            draft.rename(path)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        for folder in (path.parent, path.parent.parent):
            _sync(folder)
        return name


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
