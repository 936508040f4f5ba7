"""The administration of domains and their forms; dossiers are only consulted."""

from applications.admin.domain import DomainAdmin
from applications.admin.dossiers import ApplicationAdmin, SubmissionAdmin
from applications.admin.forms import FormVersionAdmin
from applications.admin.questions import QuestionAdmin, SectionAdmin

__all__ = ["ApplicationAdmin", "DomainAdmin", "FormVersionAdmin", "QuestionAdmin", "SectionAdmin", "SubmissionAdmin"]
