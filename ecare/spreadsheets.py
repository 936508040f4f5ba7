"""What a spreadsheet makes of a cell."""

import re

# What Excel or Calc skips before a sign: any space, those without width too.
_FORMULA = re.compile("[\\s\u200b\u200c\u200d\u2060\ufeff]*[=+\\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]")
# What begins like a formula and is none, whatever a spreadsheet makes of it: a phone, a number, an amount.
_NUMBER = re.compile(r"[+-]?[0-9][0-9 .,\u00a0\u202f]*(€)?")


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula: an apostrophe before it, if it could."""
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text
