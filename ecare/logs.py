"""How an event is written on standard error."""

import logging
import re

_LINKS = re.compile(r"(/(?:activation|invitation|mot-de-passe/nouveau|compte/adresse/confirmer)/)[^\s/]+")


class Line(logging.Formatter):
    """Of an address that a letter gave, the beginning only: with the rest, whoever reads the logs could follow it."""

    def format(self, record):
        return _LINKS.sub(r"\1…", super().format(record))
