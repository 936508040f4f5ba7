"""The dossier: one establishment's request in one domain, and its life."""

import secrets

from django.db import models
from django.db.models import Case, Q, Value, When
from django.utils import timezone
from django_fsm import RETURN_VALUE, FSMField, transition

from accounts.models import User
from applications.models.domain import Domain, FormVersion
from applications.states import (
    AWAITS_ANS,
    AWAITS_ARS,
    BEFORE_ACCEPTANCE,
    CANDIDATURE_EDITABLE,
    EDITABLE,
    ENDED,
    FROM_ACCEPTANCE,
    IN_DECLARATION,
    REVIEWER_LABELS,
    Desk,
    State,
    Step,
)
from establishments.models import Establishment, normalised

LETTERS_WITHOUT_LOOK_ALIKES = "ABCDEFGHJKLMNPQRSTUVWXYZ"  # no I, no O


def new_reference() -> str:
    """Ten random capital letters, as on the guide's screens (VEHCXTRMWL)."""
    return "".join(secrets.choice(LETTERS_WITHOUT_LOOK_ALIKES) for _ in range(10))


class ApplicationQuerySet(models.QuerySet):
    def visible_to(self, user):
        """A référent's own dossiers, those of an ARS agent's regions, all for the ANS; nothing for anybody else.

        Reviewers see every stage, but read only what was sent (`Submission`), never a draft's answers.
        """
        if not user.is_active:
            return self.none()
        if user.is_referent:
            return self.filter(referent=user)
        if user.is_ars:
            return self.filter(establishment__region__in=user.regions.all())
        if user.is_ans:
            return self.all()
        return self.none()

    def in_place(self):
        """Those that keep the establishment's place in the domain: all but the withdrawn."""
        return self.exclude(state=State.WITHDRAWN)

    def under_way(self):
        """Those that still wait for somebody: neither paid nor ended otherwise."""
        return self.exclude(state__in=ENDED)

    def transferable_by(self, user):
        """A référent's own dossiers, in any state but withdrawn."""
        return self.in_place().filter(referent=user).select_related("domain")

    def held_by_colleagues_of(self, user):
        """Those of the person's establishment that they may ask to take over: never what stands in them."""
        return self.in_place().filter(establishment=user.establishment_id).exclude(referent=user)

    def matching(self, words: str):
        """Each word is found in the reference, the domain or the establishment; case forgiven everywhere."""
        found = self
        for word in words.split():
            found = found.filter(
                Q(reference__icontains=word)
                | Q(domain__name__icontains=word)
                | Q(establishment__search_text__contains=normalised(word))
            )
        return found


class Application(models.Model):
    """A dossier. Only the verbs of `applications.actions` move it."""

    reference = models.CharField("référence", max_length=10, unique=True, default=new_reference, editable=False)
    domain = models.ForeignKey(Domain, models.PROTECT, related_name="applications", verbose_name="domaine")
    establishment = models.ForeignKey(
        Establishment, models.PROTECT, related_name="applications", verbose_name="établissement"
    )
    referent = models.ForeignKey(User, models.PROTECT, related_name="applications", verbose_name="référent")
    state = FSMField("état", max_length=30, choices=State, default=State.DRAFT, protected=True)
    version = models.PositiveIntegerField("version", default=1, help_text="Augmente à chaque mouvement.")
    candidature_form = models.ForeignKey(FormVersion, models.PROTECT, related_name="+", verbose_name="candidature")
    declaration_form = models.ForeignKey(
        FormVersion, models.PROTECT, related_name="+", null=True, blank=True, verbose_name="déclaration"
    )
    created_at = models.DateTimeField("début", default=timezone.now)
    moved_at = models.DateTimeField("dernier mouvement", default=timezone.now)
    sendings = models.PositiveSmallIntegerField("envois", default=0, help_text="Les deux étapes ensemble.")
    candidature_submitted_at = models.DateTimeField("premier envoi de la candidature", null=True, blank=True)
    declaration_submitted_at = models.DateTimeField("premier envoi de la déclaration", null=True, blank=True)
    candidature_extended_until = models.DateField("candidature prolongée jusqu’au", null=True, blank=True)
    declaration_extended_until = models.DateField("déclaration prolongée jusqu’au", null=True, blank=True)
    signed_copy_at = models.DateTimeField(
        "exemplaire signé par l’établissement, déposé le",
        null=True,
        blank=True,
        help_text="Vide tant que la convention attend sa signature, ou si son exemplaire a été refusé.",
    )
    convention_signed_on = models.DateField("convention signée le", null=True, blank=True)
    requested = models.PositiveBigIntegerField(
        "montant demandé (centimes d’euro)",
        default=0,
        help_text="Dans la candidature, telle que transmise en dernier ; 0 : son formulaire ne le demande pas.",
    )
    desk = models.GeneratedField(
        expression=Case(
            When(state__in=AWAITS_ARS, then=Value(Desk.ARS)),
            When(state=State.ACCEPTED, signed_copy_at=None, then=Value("")),  # the establishment is to sign first
            When(state__in=AWAITS_ANS, then=Value(Desk.ANS)),
            default=Value(""),
        ),
        output_field=models.CharField("bureau qui l’attend", max_length=3, choices=Desk),
        db_persist=True,
    )

    objects = ApplicationQuerySet.as_manager()

    class Meta:
        verbose_name = "dossier"
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["domain", "establishment"], condition=~Q(state="withdrawn"), name="one_dossier_per_domain"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "withdrawn"]) | Q(candidature_submitted_at__isnull=False),
                name="past_draft_means_sent",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["declaration_submitted", "under_control", "validated", "paid"])
                | Q(declaration_submitted_at__isnull=False),
                name="declared_means_declaration_sent",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["convention_signed", *(str(s) for s in IN_DECLARATION)])
                | Q(convention_signed_on__isnull=False),
                name="declaration_means_convention_signed",
            ),
            models.CheckConstraint(
                condition=Q(signed_copy_at=None) | ~Q(state__in=[*(str(s) for s in BEFORE_ACCEPTANCE), "rejected"]),
                name="signed_copy_means_accepted",
            ),
        ]
        indexes = [
            models.Index(fields=["desk", "moved_at", "id"], name="dossier_desk"),
            models.Index(fields=["state", "moved_at"], name="dossier_queue"),
            models.Index(fields=["moved_at", "id"], name="dossier_moves"),
            models.Index(fields=["requested", "id"], name="dossier_requested"),
            models.Index(fields=["referent", "-created_at"], name="dossier_dashboard"),
        ]

    def __str__(self):
        return self.reference

    # --- what it is now -------------------------------------------------------------------------------------
    @property
    def subject(self) -> str:
        """How letters and the journal name this dossier."""
        return f"application:{self.reference}"

    @property
    def step(self) -> str:
        return Step.DECLARATION if self.declaration_form_id else Step.CANDIDATURE

    @property
    def form(self) -> FormVersion:
        return self.declaration_form or self.candidature_form

    @property
    def is_editable(self) -> bool:
        return self.state in EDITABLE

    @property
    def is_never_sent(self) -> bool:
        """Its present step waits for its first transmission."""
        return self.state in (State.DRAFT, State.DECLARATION_OPEN)

    @property
    def is_to_sign(self) -> bool:
        """Its convention waits for the establishment."""
        return self.state == State.ACCEPTED and self.signed_copy_at is None

    @property
    def is_to_countersign(self) -> bool:
        """Its convention, signed by the establishment, waits for the ANS."""
        return self.state == State.ACCEPTED and self.signed_copy_at is not None

    @property
    def reviewer_label(self) -> str:
        if self.is_to_sign:
            return "Convention à signer par l’établissement"
        if self.is_to_countersign:
            return "Convention à contresigner (ANS)"
        return REVIEWER_LABELS[State(self.state)]

    @property
    def referent_label(self) -> str:
        if self.is_to_sign:
            return "Acceptée, convention à signer par votre établissement"
        if self.is_to_countersign:
            return "Acceptée, convention à contresigner par l’ANS"
        return self.get_state_display()

    # --- its life: who (permission) may do what (method) from where (source) to where (target) --------------------
    @transition("state", source=CANDIDATURE_EDITABLE, target=State.SUBMITTED, permission="act_as_referent")
    @transition(
        "state", source=[State.DECLARATION_OPEN], target=State.DECLARATION_SUBMITTED, permission="act_as_referent"
    )
    @transition(
        "state",
        source=[State.DECLARATION_CHANGES_REQUESTED],
        target=RETURN_VALUE(State.DECLARATION_SUBMITTED, State.UNDER_CONTROL),
        permission="act_as_referent",
    )
    def submit(self, *, asked_by: str = ""):
        """A corrected declaration goes back to the desk that asked."""
        return State.UNDER_CONTROL if asked_by == Desk.ANS else State.DECLARATION_SUBMITTED

    @transition("state", source=[State.SUBMITTED], target=State.CHANGES_REQUESTED, permission="act_as_ars")
    @transition(
        "state",
        source=[State.DECLARATION_SUBMITTED],
        target=State.DECLARATION_CHANGES_REQUESTED,
        permission="act_as_ars",
    )
    @transition(
        "state", source=[State.UNDER_CONTROL], target=State.DECLARATION_CHANGES_REQUESTED, permission="act_as_ans"
    )
    def request_changes(self):
        pass

    @transition("state", source=[State.CHANGES_REQUESTED], target=State.SUBMITTED, permission="act_as_ars")
    @transition(
        "state",
        source=[State.DECLARATION_CHANGES_REQUESTED],
        target=RETURN_VALUE(State.DECLARATION_SUBMITTED, State.UNDER_CONTROL),
        permission="act_as_asker",
    )
    def cancel_changes(self, *, asked_by: str):
        """Back to the desk that asked."""
        return State.UNDER_CONTROL if asked_by == Desk.ANS else State.DECLARATION_SUBMITTED

    @transition("state", source=[State.SUBMITTED], target=State.ACCEPTED, permission="act_as_ars")
    @transition("state", source=[State.DECLARATION_SUBMITTED], target=State.UNDER_CONTROL, permission="act_as_ars")
    @transition("state", source=[State.UNDER_CONTROL], target=State.VALIDATED, permission="act_as_ans")
    def accept(self):
        pass

    @transition("state", source=[State.SUBMITTED], target=State.REJECTED, permission="act_as_ars")
    @transition("state", source=[State.UNDER_CONTROL], target=State.DECLARATION_REJECTED, permission="act_as_ans")
    def reject(self):
        pass

    @transition("state", source=[State.REJECTED], target=State.SUBMITTED, permission="act_as_ans")
    @transition("state", source=[State.DECLARATION_REJECTED], target=State.UNDER_CONTROL, permission="act_as_ans")
    def reopen(self):
        pass

    @transition("state", source=[State.ACCEPTED], target=State.CONVENTION_SIGNED, permission="act_as_ans")
    def sign_convention(self):
        pass

    @transition("state", source=[State.CONVENTION_SIGNED], target=State.DECLARATION_OPEN, permission="act_as_system")
    def open_declaration(self):
        pass

    @transition("state", source=[State.UNDER_CONTROL], target=State.DECLARATION_SUBMITTED, permission="act_as_ans")
    def send_back(self):
        pass

    @transition("state", source=[State.VALIDATED], target=State.PAID, permission="act_as_ans")
    def record_payment(self):
        pass

    @transition("state", source=BEFORE_ACCEPTANCE, target=State.WITHDRAWN, permission="act_as_referent")
    def withdraw(self):
        pass

    @transition("state", source=FROM_ACCEPTANCE, target=State.ABANDONED, permission="act_as_ans")
    def abandon(self):
        pass
