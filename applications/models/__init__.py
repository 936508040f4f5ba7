from applications.models.answers import (
    PURGED_NAME,
    Answer,
    ChangeRequest,
    Contact,
    Fate,
    RequestedChange,
    Submission,
    fate_of,
    mark_of,
)
from applications.models.application import Application
from applications.models.domain import Domain, FormVersion, Question, Section
from applications.models.extensions import Extension
from applications.models.money import Bracket
from applications.models.people import TakeOverRequest

__all__ = [
    "PURGED_NAME",
    "Answer",
    "Application",
    "Bracket",
    "ChangeRequest",
    "Contact",
    "Domain",
    "Extension",
    "Fate",
    "FormVersion",
    "Question",
    "RequestedChange",
    "Section",
    "Submission",
    "TakeOverRequest",
    "fate_of",
    "mark_of",
]
