"""Keys that embedded mode makes for itself, once, readable by their owner only."""

import base64
import os
import secrets
from contextlib import suppress
from pathlib import Path


def generated_key(folder: Path, name: str) -> str:
    """Base64 of 32 random bytes, kept in `folder/name` with mode 0600; two starting processes get the same one."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    if not path.exists():
        draft = folder / f".{name}.{os.getpid()}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(base64.b64encode(secrets.token_bytes(32)).decode())
        with suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_text()
