"""The local mailbox of embedded mode: each letter that left, as one .eml file."""

import uuid
from datetime import UTC
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from django.conf import settings

from ecare.letters.models import Letter


def path_of(letter: Letter) -> Path:
    """In the order of writing, and the same for a letter sent twice."""
    return settings.MAILBOX_DIR / f"{letter.created_at.astimezone(UTC):%Y%m%dT%H%M%S%f}-{letter.pk}.eml"


def keep(letter: Letter, message) -> None:
    """Write the mail whole or not at all."""
    path = path_of(letter)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{uuid.uuid4()}")
    draft.touch(mode=0o600)
    draft.write_bytes(message.message().as_bytes())
    draft.replace(path)


def read(letter: Letter) -> EmailMessage | None:
    """The mail as it left; None when its file is gone."""
    try:
        return message_from_bytes(path_of(letter).read_bytes(), policy=policy.default)
    except FileNotFoundError:
        return None


def part_of(message: EmailMessage, kind: str) -> str:
    """Its "plain" or "html" body."""
    part = message.get_body((kind,))
    return part.get_content() if part else ""
