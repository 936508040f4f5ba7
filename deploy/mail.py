"""A mail server that keeps what it accepts in a folder (Maildir), one file a letter."""

import mailbox
import re
import sys
from email.message import Message
from pathlib import Path

from deploy.processes import HOST, Server, answers, free_port


class MailSink(Server):
    name = "mail"

    def __init__(self, folder: Path, *, port: int = 0):
        super().__init__(folder)
        self.port = port or free_port()
        self.kept = self.folder / "letters"

    @property
    def url(self) -> str:
        return f"smtp://{HOST}:{self.port}"

    def prepare(self) -> None:
        mailbox.Maildir(self.kept, create=True)

    def command(self) -> list[str]:
        handler = ["-c", "aiosmtpd.handlers.Mailbox", str(self.kept)]
        return [sys.executable, "-m", "aiosmtpd", "-n", "-l", f"{HOST}:{self.port}", *handler]

    def is_ready(self) -> bool:
        return answers(self.port)

    def letters(self, *, to: str = "") -> list[Message]:
        """In the order in which they came; `to`: one mailbox alone."""
        found = sorted(mailbox.Maildir(self.kept).values(), key=lambda one: one.get_date())
        return [one for one in found if not to or one["To"] == to]


def code_in(letter: Message) -> str:
    """The sign-in code of a letter; empty: it has none."""
    if letter["X-eCaRE-Letter"] != "code":
        return ""
    text = letter.get_payload(0).get_payload(decode=True).decode()  # type: ignore[union-attr]
    return re.search(r"\b(\d{4} ?\d{4})\b", text)[1].replace(" ", "")  # type: ignore[index]
