"""How an event is written on standard error."""

import logging
import re

_TOKENS = re.compile(r"(ecare_\w{6})\w+")
_LINKS = re.compile(r"(/(?:activation|invitation|mot-de-passe/nouveau|compte/adresse/confirmer)/)[^\s/]+")


class Line(logging.Formatter):
    """Of an address that a letter gave, or of a token that stands in one, the beginning only: with the rest, whoever
    reads the logs could follow or show it."""

    def format(self, record):
        return _TOKENS.sub(r"\1…", _LINKS.sub(r"\1…", super().format(record)))
