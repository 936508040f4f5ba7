"""What the administration shows of people."""

from accounts.admin.conditions import TermsAcceptanceAdmin, TermsAdmin
from accounts.admin.users import InvitationAdmin, UserAdmin, UserForm

__all__ = ["InvitationAdmin", "TermsAcceptanceAdmin", "TermsAdmin", "UserAdmin", "UserForm"]
