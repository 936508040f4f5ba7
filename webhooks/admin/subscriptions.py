"""Subscriptions: who is told what, whether it arrives, and what an administrator does about it."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import Http404, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods, require_POST

from ecare.admin_site import OfferedFilters
from ecare.french import paris_datetime
from webhooks import actions, couriers, deliveries, rules
from webhooks.forms import RotationForm, SinceForm, SubscriptionForm
from webhooks.models import Delivery, Subscription

State = Subscription.State
SUSPEND = "Plus rien ne part vers cette adresse. Ce qui arrive entre-temps attend, et part à la reprise."
RESUME = "Ce qui attend part aussitôt, dans l’ordre."
END = [
    "Plus rien n’est envoyé à cette adresse. Ce qui attend est annulé, et le secret est effacé.",
    "C’est définitif\u00a0: pour envoyer de nouveau, créez un autre abonnement.",
]
ROTATE = [
    "Un nouveau secret est fait. Il est montré une seule fois.",
    f"Pendant {rules.OVERLAP.days} jours, chaque envoi porte deux signatures, l’une de l’ancien, l’autre du nouveau.",
]
SINCE = (
    "Tous les événements demandés par cet abonnement depuis ce jour sont envoyés de nouveau, sous le même identifiant, "
    "et marqués comme rejoués."
)


@admin.register(Subscription)
class SubscriptionAdmin(OfferedFilters, admin.ModelAdmin):
    actions = None
    form = SubscriptionForm
    fields = tuple(SubscriptionForm.Meta.fields)
    show_full_result_count = False
    list_display = ["system", "address", "state", "delivered_at", "failing_since", "waiting"]
    list_display_links = ["system", "address"]
    list_filter = ["state", "system"]
    list_select_related = ["system"]
    change_form_template = "admin/webhooks/subscription/page.html"

    def get_urls(self):
        asks = require_http_methods(["GET", "HEAD", "POST"])
        pages = [
            ("essai", require_POST(self.test), "test"),
            ("secret", asks(self.rotate), "rotate"),
            ("suspendre", asks(self.suspend), "suspend"),
            ("reprendre", asks(self.resume), "resume"),
            ("terminer", asks(self.end), "end"),
            ("rejouer", asks(self.replay), "replay"),
        ]
        urls = [
            path(f"<int:pk>/{end}/", self.admin_site.admin_view(view), name=f"webhooks_subscription_{name}")
            for end, view, name in pages
        ]
        return [*urls, *super().get_urls()]

    # --- the list ---
    def get_queryset(self, request):
        waiting = Count("deliveries", filter=Q(deliveries__state__in=Delivery.UNFINISHED))
        return super().get_queryset(request).annotate(waiting_count=waiting)

    @admin.display(description="en attente")
    def waiting(self, subscription):
        return subscription.waiting_count

    # --- one subscription ---
    def has_change_permission(self, request, obj=None):
        return (obj is None or obj.state != State.ENDED) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request, obj=None):
        return False

    def get_readonly_fields(self, request, obj=None):
        return ["system"] if obj else []

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        context |= {"show_save_and_add_another": False, "show_save_and_continue": False}
        context |= {"title": str(obj) if obj else "Nouvel abonnement", "subtitle": None}
        return super().render_change_form(request, context, add, change, form_url, obj)

    def save_model(self, request, obj, form, change):
        if not change:
            obj.new_secret = actions.create(obj, by=request.user.actor, at=request.arrived_at)
        elif form.changed_data:
            actions.change(obj, form.changed_data, by=request.user.actor)

    def response_add(self, request, obj, post_url_continue=None):
        return self._tell_secret(request, obj, obj.new_secret)

    def response_change(self, request, obj):
        self.message_user(request, "L’abonnement est enregistré.")
        return _to(obj)

    # --- what is done with it ---
    def test(self, request, pk):
        subscription = self._one(request, pk)
        delivery = deliveries.begin_test(subscription, by=request.user.actor, at=request.arrived_at)
        outcome = couriers.send(delivery)
        if outcome is not None and outcome.is_received:
            told = f"L’essai est reçu\u00a0: le système a répondu {outcome.status} en {outcome.duration}\u00a0ms."
            self.message_user(request, told, messages.SUCCESS)
        else:
            self.message_user(request, f"L’essai n’est pas reçu. {outcome.error if outcome else ''}", messages.ERROR)
        return HttpResponseRedirect(reverse("admin:webhooks_delivery_change", args=[delivery.pk]))

    def rotate(self, request, pk):
        subscription = self._one(request, pk)
        sent = (request.POST,) if request.method == "POST" else ()
        form = RotationForm(*sent, initial={"shown": subscription.secret_number})
        if form.is_valid():
            secret = actions.rotate_secret(
                subscription,
                shown=form.cleaned_data["shown"],
                keep_former=not form.cleaned_data["has_leaked"],
                by=request.user.actor,
                at=request.arrived_at,
            )
            return self._tell_secret(request, Subscription.objects.get(pk=subscription.pk), secret)
        says = list(ROTATE)
        if subscription.former_until:
            says.append("Un ancien secret signe encore\u00a0: il cesse aussitôt de le faire.")
        return self._ask(request, subscription, "Renouveler le secret", says, form=form)

    def suspend(self, request, pk):
        verb = lambda one: actions.suspend(one, by=request.user.actor)  # noqa: E731
        done = "L’abonnement est suspendu."
        return self._do(request, pk, "Suspendre l’abonnement", [SUSPEND], verb, done, while_in=[State.ACTIVE])

    def resume(self, request, pk):
        verb = lambda one: actions.resume(one, by=request.user.actor, at=request.arrived_at)  # noqa: E731
        done = "L’abonnement est repris\u00a0: ce qui attendait part."
        return self._do(request, pk, "Reprendre l’abonnement", [RESUME], verb, done, while_in=[State.SUSPENDED])

    def end(self, request, pk):
        verb = lambda one: actions.end(one, by=request.user.actor, at=request.arrived_at)  # noqa: E731
        return self._do(request, pk, "Terminer l’abonnement", END, verb, "L’abonnement est terminé.")

    def replay(self, request, pk):
        """A day first; then how many events that makes; then it is done."""
        subscription = self._one(request, pk)
        sent = request.POST if request.method == "POST" else request.GET
        form = SinceForm(sent) if "since" in sent else SinceForm()
        title = "Rejouer depuis une date"
        if not form.is_valid():
            return self._ask(request, subscription, title, [SINCE], form=form, button="Compter", method="get")
        since = form.cleaned_data["since"]
        if request.method == "POST":
            by = {"by": request.user.actor, "at": request.arrived_at}
            total = deliveries.replay_since(subscription, since, **by)
            self.message_user(request, f"{total} notification{'s' if total > 1 else ''} à envoyer de nouveau.")
            return _to(subscription)
        count = deliveries.wanted_since(subscription, since).count()
        says = [SINCE, f"Événements depuis le {paris_datetime(since)}\u00a0: {count}."]
        if subscription.state == State.SUSPENDED:
            says.append("L’abonnement est suspendu\u00a0: tout part à la reprise.")
        hidden = {"since": request.GET["since"]}
        return self._ask(request, subscription, title, says, hidden=hidden, button="Rejouer", is_ready=count > 0)

    # --- what they share ---
    def _one(self, request, pk) -> Subscription:
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = Subscription.objects.select_related("system").filter(pk=pk).first()
        if found is None:
            raise Http404
        return found

    def _do(self, request, pk, title, says, verb, done, *, while_in=(State.ACTIVE, State.SUSPENDED)):
        subscription = self._one(request, pk)
        if request.method == "POST":
            verb(subscription)
            self.message_user(request, done, messages.SUCCESS)
            return _to(subscription)
        actions.refuse_unless(subscription, *while_in)
        return self._ask(request, subscription, title, says)

    def _ask(
        self, request, subscription, title, says, *, form=None, hidden=(), button="", method="post", is_ready=True
    ):
        context = {
            "title": title,
            "says": says,
            "form": form,
            "hidden": dict(hidden),
            "button": button or title,
            "method": method,
            "is_ready": is_ready,
        }
        return self._page(request, "admin/webhooks/subscription/confirm.html", subscription, **context)

    def _tell_secret(self, request, subscription, secret: str):
        """In the answer itself: it stands in no address, no message and no session."""
        context = {"title": "Secret de signature", "secret": secret}
        return self._page(request, "admin/webhooks/subscription/secret.html", subscription, **context)

    def _page(self, request, template, subscription, **context):
        context |= self.admin_site.each_context(request) | {"subscription": subscription, "opts": self.opts}
        return TemplateResponse(request, template, context)


def _to(subscription: Subscription):
    return HttpResponseRedirect(reverse("admin:webhooks_subscription_change", args=[subscription.pk]))
