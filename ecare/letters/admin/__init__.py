"""The outbox and the texts of letters, in the administration."""

from ecare.letters.admin.outbox import LetterAdmin
from ecare.letters.admin.wordings import LetterTextAdmin

__all__ = ["LetterAdmin", "LetterTextAdmin"]
