"""What a dossier costs its domain: what acceptance commits, what the ANS decides, what is paid. Whole cents."""

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import User
from applications.models import Application, Domain, Submission


class CommitmentQuerySet(models.QuerySet):
    def live(self):
        """Those that still count against an envelope."""
        return self.filter(released_at=None)


class Commitment(models.Model):
    """What a dossier takes of its domain's envelope from acceptance on, frozen there with what it rests on."""

    application = models.OneToOneField(Application, models.PROTECT, related_name="commitment", verbose_name="dossier")
    amount = models.PositiveBigIntegerField("montant engagé (centimes d’euro)")
    ceiling = models.PositiveBigIntegerField("plafond (centimes d’euro)")
    requested = models.PositiveBigIntegerField("montant demandé (centimes d’euro)", null=True, blank=True)
    rule = models.CharField("règle d’engagement", max_length=9, choices=Domain.Commitment)
    basis = models.JSONField("calcul du plafond", default=dict)
    at = models.DateTimeField("engagé le", default=timezone.now)
    released_at = models.DateTimeField("libéré le", null=True, blank=True)

    objects = CommitmentQuerySet.as_manager()

    class Meta:
        verbose_name = "engagement"
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__lte=F("ceiling")), name="commitment_is_no_more_than_the_ceiling"
            ),
            models.CheckConstraint(
                condition=Q(requested=None) | Q(rule="ceiling") | Q(amount__lte=F("requested")),
                name="commitment_is_no_more_than_was_requested",
            ),
            models.CheckConstraint(
                condition=Q(released_at=None) | Q(released_at__gte=F("at")),
                name="commitment_is_released_after_it_began",
            ),
        ]


class DecisionQuerySet(models.QuerySet):
    def visible_to(self, user):
        """The ANS sees what it is preparing; everybody else of the dossier what was validated."""
        found = self.filter(application__in=Application.objects.visible_to(user))
        return found if user.is_ans else found.exclude(validated_at=None)


class Decision(models.Model):
    """What the ANS accepts of a declaration and what results. A draft that any of its agents goes on with, until the
    declaration is validated; ceiling and rule are those of the moment at which it was last saved."""

    application = models.OneToOneField(Application, models.PROTECT, related_name="decision", verbose_name="dossier")
    submission = models.ForeignKey(Submission, models.PROTECT, related_name="+", verbose_name="envoi examiné")
    version = models.PositiveIntegerField("version", default=1, help_text="Augmente à chaque enregistrement.")
    ceiling = models.PositiveBigIntegerField("plafond (centimes d’euro)")
    floor = models.PositiveBigIntegerField("plancher (centimes d’euro)")
    rule = models.CharField("règle de versement", max_length=17, choices=Domain.Payment)
    basis = models.JSONField("calcul du plafond", default=dict)
    accepted = models.PositiveBigIntegerField(
        "dépenses retenues (centimes d’euro)", null=True, blank=True, help_text="Vide : rien n’est dit encore."
    )
    amount = models.PositiveBigIntegerField(
        "montant à verser (centimes d’euro)", null=True, blank=True, help_text="Vide : tout n’est pas examiné."
    )
    by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name="enregistrée par")
    at = models.DateTimeField("enregistrée le", default=timezone.now)
    validated_by = models.ForeignKey(
        User, models.PROTECT, related_name="+", null=True, blank=True, verbose_name="validée par"
    )
    validated_at = models.DateTimeField("validée le", null=True, blank=True)

    objects = DecisionQuerySet.as_manager()

    class Meta:
        verbose_name = "décision de financement"
        verbose_name_plural = "décisions de financement"
        constraints = [
            models.CheckConstraint(condition=Q(floor__lte=F("ceiling")), name="decision_floor_is_under_the_ceiling"),
            models.CheckConstraint(
                condition=Q(amount=None) | Q(amount=0) | Q(amount__gte=F("floor"), amount__lte=F("ceiling")),
                name="decided_amount_stands_between_floor_and_ceiling",
            ),
            models.CheckConstraint(
                condition=Q(amount=None) | Q(amount=0) | Q(rule="lump_sum") | Q(accepted__isnull=False, accepted__gt=0),
                name="nothing_is_paid_without_an_accepted_expense",
            ),
            models.CheckConstraint(
                condition=Q(validated_at=None, validated_by=None)
                | Q(validated_at__isnull=False, validated_by__isnull=False, amount__isnull=False, amount__gt=0),
                name="validated_decision_has_an_amount_and_an_author",
            ),
        ]
        indexes = [models.Index(fields=["-validated_at"], name="decisions_latest")]

    @property
    def is_validated(self) -> bool:
        return self.validated_at is not None


class ObjectiveVerdict(models.Model):
    """Whether one objective of a declaration is reached, in the eyes of the ANS."""

    decision = models.ForeignKey(Decision, models.CASCADE, related_name="objectives", verbose_name="décision")
    code = models.CharField("objectif", max_length=20, blank=True, help_text="Vide : ceux du domaine, tous ensemble.")
    is_reached = models.BooleanField("validé")
    remark = models.TextField("remarque", blank=True)

    class Meta:
        verbose_name = "avis sur un objectif"
        verbose_name_plural = "avis sur les objectifs"
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["decision", "code"], name="one_verdict_per_objective"),
            models.CheckConstraint(
                condition=Q(is_reached=True) | ~Q(remark=""), name="objective_that_is_not_reached_has_a_remark"
            ),
        ]


class ExpenseVerdict(models.Model):
    """What is accepted of one line of expenses. The line is named by its question, its rank and its digest in the
    sending that was read, and copied: a later sending never gives it to another expense."""

    class Outcome(models.TextChoices):
        ACCEPTED = "accepted", "Retenue"
        REDUCED = "reduced", "Retenue en partie"
        REFUSED = "refused", "Refusée"

    decision = models.ForeignKey(Decision, models.CASCADE, related_name="expenses", verbose_name="décision")
    key = models.SlugField("question")
    rank = models.PositiveSmallIntegerField("ligne")
    digest = models.CharField("SHA-256 de la ligne", max_length=64)
    line = models.JSONField("ligne déclarée")
    declared = models.PositiveBigIntegerField("montant déclaré (centimes d’euro)")
    outcome = models.CharField("avis", max_length=8, choices=Outcome)
    amount = models.PositiveBigIntegerField("montant retenu (centimes d’euro)")
    reason = models.CharField("motif", max_length=500, blank=True)

    class Meta:
        verbose_name = "avis sur une dépense"
        verbose_name_plural = "avis sur les dépenses"
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["decision", "key", "rank"], name="one_verdict_per_expense"),
            models.CheckConstraint(
                condition=Q(outcome="accepted", amount=F("declared"))
                | Q(outcome="reduced", amount__gt=0, amount__lt=F("declared"))
                | Q(outcome="refused", amount=0),
                name="accepted_amount_follows_the_outcome",
            ),
            models.CheckConstraint(
                condition=Q(outcome="accepted") | ~Q(reason=""), name="expense_not_accepted_whole_has_a_reason"
            ),
        ]


class Payment(models.Model):
    """The one transfer that ends a dossier: what was decided, the day it was made, its reference at the bank."""

    application = models.OneToOneField(Application, models.PROTECT, related_name="payment", verbose_name="dossier")
    amount = models.PositiveBigIntegerField("montant versé (centimes d’euro)")
    paid_on = models.DateField("versé le")
    reference = models.CharField("référence du virement", max_length=60)
    recorded_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name="enregistré par")
    recorded_at = models.DateTimeField("enregistré le", default=timezone.now)

    class Meta:
        verbose_name = "versement"
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="payment_has_an_amount"),
            models.CheckConstraint(condition=~Q(reference=""), name="payment_has_a_reference"),
        ]
        indexes = [models.Index(fields=["-paid_on"], name="payments_latest")]
