"""« Notifications automatiques » in the administration."""

from webhooks.admin import journal, subscriptions

__all__ = ["journal", "subscriptions"]
