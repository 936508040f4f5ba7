"""A mail server that keeps what it accepts in a folder (Maildir), one file a letter; and the letters in it."""

import email
import re
import sys
from email import policy
from email.message import EmailMessage
from mailbox import Maildir
from pathlib import Path
from threading import Lock

from deploy.processes import HOST, Server, answers, free_port


class Letters:
    """What a folder has got, each file read once."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._read: dict[str, EmailMessage] = {}
        self._lock = Lock()

    def all(self, *, to: str = "") -> list[EmailMessage]:
        """In the order in which they came; `to`: one mailbox alone."""
        with self._lock:
            for path in sorted(self.folder.glob("new/*"), key=lambda one: one.stat().st_mtime_ns):
                if path.name not in self._read:
                    self._read[path.name] = email.message_from_bytes(path.read_bytes(), policy=policy.default)
            return [one for one in self._read.values() if not to or one["To"] == to]


class MailSink(Server):
    name = "mail"

    def __init__(self, folder: Path, *, port: int = 0):
        super().__init__(folder)
        self.port = port or free_port()
        self.kept = self.folder / "letters"
        self.letters = Letters(self.kept).all

    @property
    def url(self) -> str:
        return f"smtp://{HOST}:{self.port}"

    def prepare(self) -> None:
        Maildir(self.kept, create=True)

    def command(self) -> list[str]:
        handler = ["-c", "aiosmtpd.handlers.Mailbox", str(self.kept)]
        return [sys.executable, "-m", "aiosmtpd", "-n", "-l", f"{HOST}:{self.port}", *handler]

    def is_ready(self) -> bool:
        return answers(self.port)


def text_of(letter: EmailMessage) -> str:
    body = letter.get_body(("plain",))
    return body.get_content() if body else ""


def code_in(letter: EmailMessage) -> str:
    """The sign-in code of a letter; empty: it has none."""
    found = re.search(r"\b(\d{4}\s?\d{4})\b", text_of(letter)) if letter["X-eCaRE-Letter"] == "code" else None
    return "".join(found[1].split()) if found else ""


def link_in(letter: EmailMessage, folder: str) -> str:
    """The path of its link into this folder of the portal (« activation », « invitation »); empty: it has none."""
    found = re.search(rf"https://[^/\s]+(/{folder}/\S+)", text_of(letter))
    return found[1] if found else ""
