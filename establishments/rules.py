"""What the directory's numbers must look like, and who may apply."""

import re

from stdnum import luhn

_FINESS = re.compile(r"(?:[0-9]{2}|2[AB])[0-9]{7}")


def is_finess(number: str) -> bool:
    """Nine characters and a right Luhn key, Corsican numbers read with A as 1 and B as 2."""
    return bool(_FINESS.fullmatch(number)) and luhn.is_valid(number.replace("A", "1").replace("B", "2"))


def may_apply(entity, *, is_hospital: bool, is_in_ght: bool) -> bool:
    """A hospital entity of its own: private, or public outside any GHT; without a legal status it cannot tell which."""
    return is_hospital and (entity.is_private or (entity.is_public and not is_in_ght))
