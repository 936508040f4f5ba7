"""Private storage: a folder here, a bucket of an object store in `evidence/buckets.py`. What both promise:

- a file is there whole or not at all, even if the machine or the network stops in between;
- what a stopped write left is listed as `<name>.part`, and deleted under that name;
- nothing has an address: files are handed over by the pages that may;
- a storage that does not answer, is full or refuses is `StoreDown`, and nothing half written remains; a file that is
  not there is `FileNotFoundError`, so that a broken network never passes for a lost file.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.files.storage import FileSystemStorage

UNFINISHED = ".part"


class StoreDown(Exception):
    """Private storage does not answer, is full, or refuses us; what was asked of it has not been done."""


class NoAddress:
    """Sealed bytes are of no use to a browser, and whoever holds a link would not be asked who they are."""

    def url(self, name, *args, **kwargs):
        raise ValueError("A file of the vault has no address.")


class VaultStorage(NoAddress, FileSystemStorage):
    """In a folder, on the disk before it counts as there. `creates_folder`: not where a missing folder means that a
    disk is not mounted, or the vault would go on beside it."""

    def __init__(self, *, creates_folder: bool = True, **options):
        super().__init__(**options)
        self.creates_folder = creates_folder

    def check(self) -> None:
        """Whether files can be written and read now. Raises StoreDown."""
        with _asked():
            self._find_folder()
            next(Path(self.location).iterdir(), None)
            if not os.access(self.location, os.W_OK):
                raise StoreDown("read-only")

    def names(self) -> Iterator[str]:
        """Everything that it holds."""
        with _asked():
            self._find_folder()
            for folder, _folders, files in os.walk(self.location, onerror=_raise):
                for name in files:
                    yield (Path(folder) / name).relative_to(self.location).as_posix()

    def _find_folder(self) -> None:
        if self.creates_folder:
            Path(self.location).mkdir(mode=self.directory_permissions_mode or 0o700, parents=True, exist_ok=True)
        elif not Path(self.location).is_dir():
            raise StoreDown(f"{self.location} is not there")

    def _open(self, name, mode="rb"):
        with _asked():
            self._find_folder()
            return super()._open(name, mode)

    def exists(self, name):
        with _asked():
            self._find_folder()
            return super().exists(name)

    def delete(self, name):
        with _asked():
            super().delete(name)

    def get_modified_time(self, name):
        with _asked():
            return super().get_modified_time(name)

    def _save(self, name, content):
        path = Path(self.path(name))
        with _asked():
            self._find_folder()
            path.parent.mkdir(mode=self.directory_permissions_mode or 0o700, parents=True, exist_ok=True)
            _write(path, content, mode=self.file_permissions_mode or 0o600)
            for folder in (path.parent, path.parent.parent):
                _sync(folder)
        return name


@contextmanager
def _asked() -> Iterator[None]:
    """A fault of the disk is one of the storage: full, read-only, gone."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise StoreDown(error.strerror or str(error)) from error


def _raise(error: OSError) -> None:
    raise error


def _write(path: Path, content, *, mode: int) -> None:
    draft = path.with_name(f"{path.name}{UNFINISHED}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
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


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
