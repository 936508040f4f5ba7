from django.apps import AppConfig

from applications import moves
from ecare import metrics, sealing
from ecare.letters import rules as letters


class WebhooksConfig(AppConfig):
    name = "webhooks"
    verbose_name = "Notifications automatiques"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        metrics.watch("webhooks.metrics.measures")
        sealing.keeps("webhooks.Subscription", "secret", "former_secret", purpose="webhook")
        moves.tell("webhooks.deliveries.note_move")
        letters.check_before_sending("subscription_suspended", "webhooks.rules.is_still_suspended")
        letters.check_before_sending("notifications_suspended", "webhooks.rules.is_still_suspended")
        letters.may_wait("subscription_suspended")
        letters.call_to_act("subscription_suspended")
