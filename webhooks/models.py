"""What systems are told by themselves: who wants what (`Subscription`), what happened (`Event`), and what became of
telling it (`Delivery`)."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from applications.models import Domain
from applications.states import REVIEWER_LABELS, TOLD_STATES
from ecare import tracing
from establishments.models import Region
from systems.models import System

STATES = [(str(state), REVIEWER_LABELS[state]) for state in TOLD_STATES]


class SubscriptionQuerySet(models.QuerySet):
    def open(self):
        """Those for which events are kept; a suspended one is sent them once it is resumed."""
        return self.filter(system__is_active=True).exclude(state=Subscription.State.ENDED)

    def live(self):
        """Those to which something may be sent now."""
        return self.filter(system__is_active=True, state=Subscription.State.ACTIVE)

    def locked(self):
        """Against other verbs; what refers to one may still be written meanwhile."""
        return self.select_for_update(of=("self",), no_key=True)

    def about(self, event: "Event"):
        """Those that want this domain and this region: closed unless they say so."""
        found = self.filter(Q(all_domains=True) | Q(domains__slug=event.domain))
        return found.filter(Q(all_regions=True) | Q(regions=event.region)).distinct()


class Subscription(models.Model):
    """An address of a system, and what is sent there. Only the verbs of `webhooks.actions` move it."""

    class State(models.TextChoices):
        ACTIVE = "active", "Actif"
        SUSPENDED = "suspended", "Suspendu"
        ENDED = "ended", "Terminé"

    system = models.ForeignKey(System, models.PROTECT, related_name="subscriptions", verbose_name="système")
    address = models.CharField("adresse d’envoi", max_length=400)
    all_states = models.BooleanField("tous les états", default=False)
    states = models.JSONField("états", default=list, blank=True)
    all_domains = models.BooleanField("tous les domaines", default=False)
    domains = models.ManyToManyField(Domain, related_name="+", blank=True, verbose_name="domaines")
    all_regions = models.BooleanField("toutes les régions", default=False)
    regions = models.ManyToManyField(Region, related_name="+", blank=True, verbose_name="régions")
    state = models.CharField("situation", max_length=9, choices=State, default=State.ACTIVE, editable=False)
    remark = models.CharField("remarque", max_length=200, blank=True, editable=False)
    created_at = models.DateTimeField("création", default=timezone.now, editable=False)
    secret = models.BinaryField("secret scellé", null=True, editable=False)
    secret_number = models.PositiveIntegerField("rang du secret", default=1, editable=False)
    secret_at = models.DateTimeField("secret remis le", default=timezone.now, editable=False)
    former_secret = models.BinaryField("ancien secret scellé", null=True, editable=False)
    former_until = models.DateTimeField("ancien secret valable jusqu’au", null=True, editable=False)
    delivered_at = models.DateTimeField("dernière notification reçue", null=True, editable=False)
    failing_since = models.DateTimeField("en échec depuis", null=True, editable=False)
    failures = models.PositiveIntegerField("échecs de suite", default=0, editable=False)
    resting_until = models.DateTimeField(null=True, editable=False)
    served_at = models.DateTimeField(null=True, editable=False)

    objects = SubscriptionQuerySet.as_manager()

    class Meta:
        verbose_name = "abonnement"
        ordering = ["system__name", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["system", "address"], condition=~Q(state="ended"), name="one_subscription_per_address"
            ),
            models.CheckConstraint(
                condition=Q(state="ended", secret=None, former_secret=None) | ~Q(state="ended") & ~Q(secret=None),
                name="a_subscription_has_its_secret_until_it_ends",
            ),
            models.CheckConstraint(
                condition=Q(former_secret=None, former_until=None)
                | Q(former_secret__isnull=False, former_until__isnull=False),
                name="a_former_secret_has_an_end",
            ),
        ]

    def __str__(self):
        return f"{self.system}, {self.address}"

    @property
    def subject(self) -> str:
        """How letters and the journal name it."""
        return f"subscription:{self.pk}"

    def hears_of(self, state: str) -> bool:
        return self.all_states or state in self.states


class EventQuerySet(models.QuerySet):
    def wanted_by(self, subscription: Subscription):
        """The moves that a subscription asks for as it stands."""
        found = self.filter(kind=Event.Kind.MOVE)
        if not subscription.all_domains:
            found = found.filter(domain__in=subscription.domains.values("slug"))
        if not subscription.all_regions:
            found = found.filter(region__in=subscription.regions.values("code"))
        return found if subscription.all_states else found.filter(state_after__in=subscription.states)


class Event(models.Model):
    """One move of a dossier that was sent at least once; written with the move, and never changed."""

    class Kind(models.TextChoices):
        MOVE = "dossier.state_changed", "Changement d’état"
        TEST = "ecare.test", "Essai"

    number = models.BigAutoField("numéro", primary_key=True)
    key = models.UUIDField("identifiant", default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField("nature", max_length=24, choices=Kind, default=Kind.MOVE)
    at = models.DateTimeField("date")
    reference = models.CharField("dossier", max_length=10, blank=True)
    version = models.PositiveIntegerField("version du dossier", default=0)
    domain = models.CharField("domaine", max_length=50, blank=True)
    region = models.CharField("région", max_length=2, blank=True)
    state_before = models.CharField("état avant", max_length=30, blank=True)
    state_after = models.CharField("état après", max_length=30, blank=True)

    objects = EventQuerySet.as_manager()

    class Meta:
        verbose_name = "événement"
        ordering = ["-number"]
        indexes = [
            models.Index(fields=["at"], name="webhook_events_by_date"),
            models.Index(fields=["reference"], name="webhook_events_of_a_dossier"),
        ]

    def __str__(self):
        return f"n°\u00a0{self.number}"

    @property
    def public_key(self) -> str:
        """What receivers know it by, at each attempt and replay."""
        return f"evt_{self.key.hex}"


class DeliveryQuerySet(models.QuerySet):
    def waiting(self):
        return self.filter(state__in=Delivery.UNFINISHED)

    def due(self, at):
        """What is to be sent: its hour has come, or whoever was sending it died."""
        return self.filter(
            Q(state=Delivery.State.WAITING, next_attempt__lte=at)
            | Q(state=Delivery.State.SENDING, leased_until__lte=at)
        )


class Delivery(models.Model):
    """One event for one subscription: waiting, being sent, received, or given up."""

    class State(models.TextChoices):
        WAITING = "waiting", "En attente"
        SENDING = "sending", "En cours"
        DELIVERED = "delivered", "Reçue"
        FAILED = "failed", "Échec"
        CANCELLED = "cancelled", "Annulée"

    UNFINISHED = (State.WAITING, State.SENDING)

    subscription = models.ForeignKey(Subscription, models.PROTECT, related_name="deliveries", verbose_name="abonnement")
    event = models.ForeignKey(Event, models.PROTECT, related_name="deliveries", verbose_name="événement")
    is_replay = models.BooleanField("rejeu", default=False)
    state = models.CharField("état", max_length=9, choices=State, default=State.WAITING)
    created_at = models.DateTimeField("création", default=timezone.now)
    attempts = models.PositiveSmallIntegerField("essais", default=0)
    next_attempt = models.DateTimeField("prochain essai", null=True, blank=True)
    sent_at = models.DateTimeField("dernier essai", null=True, blank=True)
    ended_at = models.DateTimeField("fin", null=True, blank=True)
    status = models.PositiveSmallIntegerField("code de réponse", null=True, blank=True)
    duration = models.PositiveIntegerField("durée (ms)", null=True, blank=True)
    error = models.CharField("pourquoi", max_length=300, blank=True)
    answer = models.CharField("début de la réponse", max_length=200, blank=True)
    lease = models.UUIDField(null=True, blank=True, editable=False)
    leased_until = models.DateTimeField(null=True, blank=True, editable=False)
    request_id = models.CharField(
        max_length=tracing.LENGTH, default=tracing.current, db_default="", blank=True, editable=False
    )

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = "notification"
        ordering = ["-pk"]
        indexes = [
            models.Index(
                fields=["subscription", "event"],
                name="deliveries_to_send",
                condition=Q(state__in=["waiting", "sending"]),
            ),
            models.Index(fields=["subscription", "-id"], name="deliveries_of_a_subscription"),
            models.Index(fields=["state", "-id"], name="deliveries_by_state"),
            models.Index(fields=["created_at"], name="deliveries_by_date"),
            models.Index(fields=["ended_at"], name="deliveries_to_forget", condition=~Q(ended_at=None)),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["subscription", "event"],
                condition=Q(state__in=["waiting", "sending"]),
                name="one_delivery_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(state="waiting", next_attempt__isnull=False, ended_at=None, lease=None, leased_until=None)
                | Q(state="sending", ended_at=None, lease__isnull=False, leased_until__isnull=False)
                | Q(
                    state__in=["delivered", "failed", "cancelled"],
                    ended_at__isnull=False,
                    lease=None,
                    leased_until=None,
                ),
                name="a_delivery_is_as_its_state_says",
            ),
        ]

    def __str__(self):
        return f"{self.event.reference or 'Essai'}, événement {self.event}"
