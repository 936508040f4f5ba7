from accounts.models.corrections import EmailCorrection
from accounts.models.invitations import Invitation
from accounts.models.people import (
    BROWSER,
    LETTERS,
    OPENED_AT,
    SEEN_AT,
    Civility,
    EmailChange,
    OpenSession,
    PeopleManager,
    PeopleQuerySet,
    SignInCode,
    Terms,
    TermsAcceptance,
    TermsQuerySet,
    User,
    UsernameHold,
)
from accounts.models.second_factor import Authenticator, RecoveryCode

__all__ = [
    "BROWSER",
    "LETTERS",
    "OPENED_AT",
    "SEEN_AT",
    "Authenticator",
    "Civility",
    "EmailChange",
    "EmailCorrection",
    "Invitation",
    "OpenSession",
    "PeopleManager",
    "PeopleQuerySet",
    "RecoveryCode",
    "SignInCode",
    "Terms",
    "TermsAcceptance",
    "TermsQuerySet",
    "User",
    "UsernameHold",
]
