"""The journal of what was sent: to read, to understand, to send again."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseRedirect
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods

from applications.actions import NotNow
from applications.states import REVIEWER_LABELS
from ecare.admin_site import Confirmed, ReadOnlyAdmin
from webhooks import deliveries, payloads
from webhooks.models import Delivery, Event, Subscription

NAMED = ["event", "subscription__system"]
"""What a delivery is called by."""
AGAIN = "envoyée de nouveau, sous le même identifiant, et marquée comme rejouée"


class SubscriptionFilter(admin.SimpleListFilter):
    title, parameter_name = "abonnement", "abonnement"

    def lookups(self, request, model_admin):
        return [(one.pk, str(one)) for one in Subscription.objects.select_related("system")]

    def queryset(self, request, queryset):
        is_offered = self.value() in {str(pk) for pk, _ in self.lookup_choices}
        return queryset.filter(subscription=self.value()) if is_offered else queryset


@admin.register(Delivery)
class DeliveryAdmin(Confirmed, ReadOnlyAdmin):
    actions = ["replay_selection"]
    list_display = ["event", "dossier", "state", "status", "error", "system", "change", "attempts", "created_at"]
    list_filter = ["state", SubscriptionFilter, "created_at", "is_replay"]
    list_select_related = NAMED
    search_fields = ["event__reference__startswith"]
    change_form_template = "admin/webhooks/delivery/page.html"
    fields = [
        "subscription",
        "event",
        "dossier",
        "change",
        "is_replay",
        "state",
        "attempts",
        "created_at",
        "sent_at",
        "next_attempt",
        "ended_at",
        "status",
        "duration",
        "error",
        "answer",
        "body",
    ]
    readonly_fields = ["dossier", "change", "body"]

    def get_urls(self):
        view = self.admin_site.admin_view(require_http_methods(["GET", "HEAD", "POST"])(self.replay))
        return [path("<int:pk>/rejouer/", view, name="webhooks_delivery_replay"), *super().get_urls()]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related(*NAMED)

    def get_search_results(self, request, queryset, search_term):
        return super().get_search_results(request, queryset, search_term.strip().upper())

    # --- what is shown ---
    @admin.display(description="dossier", ordering="event__reference")
    def dossier(self, delivery):
        return delivery.event.reference or "Essai"

    @admin.display(description="système", ordering="subscription__system__name")
    def system(self, delivery):
        return delivery.subscription.system

    @admin.display(description="changement")
    def change(self, delivery):
        event = delivery.event
        if event.kind == Event.Kind.TEST:
            return "–"
        before = REVIEWER_LABELS.get(event.state_before, "Premier envoi")
        return f"{before} → {REVIEWER_LABELS.get(event.state_after, event.state_after)}"

    @admin.display(description="corps envoyé")
    def body(self, delivery):
        return payloads.body_of(delivery).decode()

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        context |= {"may_replay": deliveries.replayable(Delivery.objects.filter(pk=obj.pk)).exists()}
        return super().render_change_form(request, context, add, change, form_url, obj)

    # --- again ---
    def replay(self, request, pk):
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = Delivery.objects.filter(pk=pk)
        if not found.exists():
            raise Http404
        if not deliveries.replayable(found).exists():
            raise NotNow("Cette notification attend encore, ou est un essai\u00a0: elle ne se rejoue pas.")
        if request.method == "POST":
            self._replay(request, found)
            return HttpResponseRedirect(reverse("admin:webhooks_delivery_changelist"))
        back = reverse("admin:webhooks_delivery_change", args=[pk])
        says = f"Cette notification sera {AGAIN}."
        return self.ask(request, found.select_related(*NAMED), title="Rejouer", says=says, back=back)

    @admin.action(description="Rejouer la sélection")
    def replay_selection(self, request, queryset):
        found = deliveries.replayable(Delivery.objects.filter(pk__in=list(queryset.values_list("pk", flat=True))))
        if "confirmed" in request.POST:
            try:
                self._replay(request, found)
            except NotNow as refused:
                self.message_user(request, str(refused), messages.ERROR)
            return None
        if not found.exists():
            told = "Rien n’est à rejouer\u00a0: ces notifications attendent encore, ou sont des essais."
            self.message_user(request, told, messages.ERROR)
            return None
        says = f"Chacune de ces notifications sera {AGAIN}."
        return self.confirm(request, found.select_related(*NAMED), title="Rejouer", says=says)

    def _replay(self, request, found) -> None:
        total = deliveries.replay(found, by=request.user.actor, at=request.arrived_at)
        self.message_user(request, f"{total} notification{'s' if total > 1 else ''} à envoyer de nouveau.")

    def name_of(self, delivery) -> str:
        return f"{delivery}, vers {delivery.subscription}"
