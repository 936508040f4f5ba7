from applications.models.answers import (
    PURGED_NAME,
    Answer,
    ChangeRequest,
    Contact,
    Fate,
    RequestedChange,
    Submission,
    answers_of,
    entities_of,
    fate_of,
    mark_of,
    values_of,
)
from applications.models.application import Application
from applications.models.domain import Domain, FormVersion, Question, Section, questions_of
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
    "answers_of",
    "entities_of",
    "fate_of",
    "mark_of",
    "questions_of",
    "values_of",
]
