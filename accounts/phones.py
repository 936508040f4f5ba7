"""Phone numbers as French people write them, overseas included."""

import phonenumbers
from phonenumber_field.phonenumber import PhoneNumber

# A number written with its leading 0 belongs to one of these; the others are written with + and their code.
REGIONS = ("FR", "GP", "MQ", "GF", "RE", "YT", "PM")


def parsed(text: str) -> PhoneNumber | None:
    """The number, written +33 6 12 34 56 78, 0033… or 06 12 34 56 78; None if no such number can exist."""
    text = text.strip()
    if text.startswith("00"):
        text = f"+{text[2:]}"
    for region in REGIONS:
        try:
            number = PhoneNumber.from_string(text, region=region)
        except phonenumbers.NumberParseException:
            return None
        if number.is_valid():
            return number
    return None
