"""The mails that left a running portal, read from its folder as a person reads their mailbox."""

import re
from email import message_from_bytes, policy
from pathlib import Path

from tests.portal import wait_for


class Mailbox:
    """The mailbox of one person: each letter is read once, in the order in which it left."""

    def __init__(self, folder: Path, address: str):
        self.folder, self.address, self.read = folder, address, set()

    def next(self, title: str, *, seconds: float = 30) -> str:
        """Text of the next unread letter whose title holds `title`; waits for it."""
        missing = f"no letter « {title} » to {self.address}"
        return wait_for(lambda: self._read_one(title), seconds=seconds, what=missing)

    def _read_one(self, title: str) -> str | None:
        for path in sorted(self.folder.glob("*.eml")):
            if path.name in self.read:
                continue
            message = message_from_bytes(path.read_bytes(), policy=policy.default)
            if message["To"] == self.address and title in message["Subject"]:
                self.read.add(path.name)
                return message.get_body(("plain",)).get_content()
        return None

    def forget(self) -> None:
        """What has come so far is read."""
        self.read |= {path.name for path in self.folder.glob("*.eml")}

    def code(self) -> str:
        """The next sign-in code."""
        return re.search(r"\b(\d{4} ?\d{4})\b", self.next("code", seconds=30))[1]

    def link(self, title: str) -> str:
        """The first address in the next letter of that title."""
        return re.search(r"https?://\S+", self.next(title))[0]
