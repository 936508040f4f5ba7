"""What the law of an account says of the letters that it gets."""

from accounts.models import User


def wants_daily_letter(email: str) -> bool:
    """Whether the owner of this mailbox chose one letter a day."""
    return User.objects.filter(email__iexact=email, wants_daily_letter=True).exists()
