"""The anchors as files, one a day, to be copied where the portal cannot write: a line of JSON, and its signature."""

import os
import uuid
from pathlib import Path

from django.conf import settings

from ecare.journal.models import Anchor


def folder() -> Path:
    return Path(settings.ANCHORS_DIR)


def as_text(anchor: Anchor) -> str:
    return f"{anchor.content}\n{anchor.signature}\n"


def name_of(anchor: Anchor) -> str:
    return f"{anchor}.json"


def keep(anchor: Anchor) -> bool:
    """Write its file whole, once, and never over another. False when one is there. Raises OSError."""
    path = folder() / name_of(anchor)
    if path.exists():
        return False
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{uuid.uuid4()}")
    try:
        with draft.open("x", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o400)
            file.write(as_text(anchor))
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        return False
    finally:
        draft.unlink(missing_ok=True)
    return True


def read_all(source: Path) -> list[tuple[str, str, str]]:
    """Name, content and signature of each file, by day."""
    found = []
    for path in sorted(source.glob("*.json")):
        content, _, signature = path.read_text(encoding="utf-8").partition("\n")
        found.append((path.stem, content, signature.strip()))
    return found
