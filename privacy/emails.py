"""One function per letter to somebody about their own data; each returns an unsaved letter."""

from datetime import datetime

from accounts.models import User
from ecare.letters.emails import compose
from ecare.letters.models import Letter


def data_handed_over(person: User, *, reason: str, at: datetime) -> Letter:
    context = {"person": person, "reason": reason, "at": at}
    return compose("data_handed_over", to=person.email, subject=f"user:{person.pk}", context=context)


def account_erased(person: User, *, reason: str, at: datetime) -> Letter:
    """The last one: it leaves for the mailbox that is then forgotten."""
    context = {"person": person, "reason": reason, "at": at}
    return compose("account_erased", to=person.email, context=context)
