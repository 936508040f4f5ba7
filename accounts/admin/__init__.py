"""What the administration shows of people."""

from accounts.admin.conditions import TermsAcceptanceAdmin, TermsAdmin
from accounts.admin.users import Confirmed, InvitationAdmin, UserAdmin, UserForm

__all__ = ["Confirmed", "InvitationAdmin", "TermsAcceptanceAdmin", "TermsAdmin", "UserAdmin", "UserForm"]
