"""The letters about a subscription that received nothing for days."""

from django.conf import settings
from django.urls import reverse

from accounts.models import User
from ecare.letters.emails import compose
from ecare.letters.models import Letter
from webhooks.models import Subscription


def notifications_suspended(subscription: Subscription) -> Letter:
    """To whoever answers for the system."""
    return compose(
        "notifications_suspended",
        to=subscription.system.contact,
        subject=subscription.subject,
        context={"subscription": subscription, "days": settings.WEBHOOK_SUSPEND_AFTER_DAYS},
    )


def subscription_suspended(subscription: Subscription, administrator: User) -> Letter:
    path = reverse("admin:webhooks_subscription_change", args=[subscription.pk])
    context = {"subscription": subscription, "person": administrator, "path": path}
    context["days"] = settings.WEBHOOK_SUSPEND_AFTER_DAYS
    return compose("subscription_suspended", to=administrator.email, subject=subscription.subject, context=context)
