"""The vault's register: which encrypted file proves what, which is still on its way; the pool of ZED containers."""

import uuid
from datetime import datetime

from django.db import models
from django.db.models import Exists, Func, OuterRef, Q, Value
from django.db.models.functions import Cast, Concat, Replace, StrIndex
from django.utils import timezone

from accounts.models import User
from applications.models import Application, Domain, Question, Submission
from evidence.states import Scan, Scanned, ScannedQuerySet
from evidence.vault import PART


class StoredFile(Scanned):
    """One encrypted file under a random name in private storage; digest and size are those of the plain bytes."""

    Scan = Scan

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField("nom", max_length=200)
    size = models.PositiveBigIntegerField("taille (octets)")
    sha256 = models.CharField("SHA-256", max_length=64)
    media_type = models.CharField("type", max_length=100)
    storage_name = models.CharField(max_length=100, unique=True, editable=False)
    key_name = models.CharField("clé", max_length=40, editable=False)
    created_at = models.DateTimeField("dépôt", default=timezone.now)
    created_by = models.ForeignKey(
        User, models.PROTECT, related_name="+", null=True, blank=True, verbose_name="déposé par"
    )  # nobody: a command

    objects = ScannedQuerySet.as_manager()

    class Meta(Scanned.Meta):
        verbose_name = "fichier"

    def __str__(self):
        return self.name

    def save(self, *args, update_fields=None, **kwargs):
        if not self._state.adding and update_fields is None:
            raise TypeError("Name the columns: a change of keys may have moved the bytes since this row was read.")
        super().save(*args, update_fields=update_fields, **kwargs)


def _bare(column):
    """As text without spaces and hyphens, in which engines differ: of JSON, and of a UUID."""
    text: Func = Cast(column, models.TextField())
    for sign in " -":
        text = Replace(text, Value(sign), Value(""), output_field=models.TextField())
    return text


class EvidenceQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Of the dossiers this person sees; reviewers only what was sent."""
        found = self.filter(application__in=Application.objects.visible_to(user))
        return found if user.is_referent else found.sent()

    def sent(self):
        """Those that a sending lists. One that stood in a space which other answers hid is in none.

        `"id": "…"` with its quotes: in what was typed they are escaped, so that no answer can pass for a file.
        """
        one = Concat(Value('"id":"'), _bare(OuterRef("file_id")), Value('"'), output_field=models.TextField())
        rank = StrIndex(_bare("content"), one)
        listing = Submission.objects.filter(application=OuterRef("application")).annotate(rank=rank)
        return self.filter(Exists(listing.filter(rank__gt=0)))

    def current(self):
        """Those that stand in their space now; a withdrawn one stays in history once it was sent."""
        return self.filter(withdrawn_after=None)


class Evidence(models.Model):
    """A file put into an evidence space of a dossier."""

    application = models.ForeignKey(Application, models.PROTECT, related_name="evidence", verbose_name="dossier")
    question = models.ForeignKey(Question, models.PROTECT, related_name="+", verbose_name="espace de dépôt")
    file = models.OneToOneField(StoredFile, models.PROTECT, related_name="evidence", verbose_name="fichier")
    added_after = models.PositiveSmallIntegerField("ajoutée après l’envoi n°")
    withdrawn_after = models.PositiveSmallIntegerField("retirée après l’envoi n°", null=True, blank=True)
    withdrawn_at = models.DateTimeField("retirée le", null=True, blank=True)
    replaces = models.OneToOneField(
        "self", models.PROTECT, related_name="replaced_by", null=True, blank=True, verbose_name="remplace"
    )

    objects = EvidenceQuerySet.as_manager()

    class Meta:
        verbose_name = "preuve"
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["application", "question"], name="evidence_space", condition=Q(withdrawn_after=None))
        ]


class PatientDataReportQuerySet(models.QuerySet):
    def visible_to(self, user):
        """To the reviewers of the dossier; a référent reads of the purge in the history."""
        if user.is_referent:
            return self.none()
        return self.filter(evidence__application__in=Application.objects.visible_to(user))

    def open(self):
        return self.filter(state=PatientDataReport.State.OPEN)


class PatientDataReport(models.Model):
    """« Signalement »: an agent saw patient data in a file. Until the ANS decides, nobody else reads the file; then
    its bytes are destroyed for good, or it is as it was."""

    class State(models.TextChoices):
        OPEN = "open", "À décider par l’ANS"
        PURGED = "purged", "Fichier purgé"
        DISMISSED = "dismissed", "Écarté"

    evidence = models.ForeignKey(Evidence, models.PROTECT, related_name="reports", verbose_name="preuve")
    by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name="signalé par")
    at = models.DateTimeField("date", default=timezone.now)
    reason = models.TextField("ce qui a été vu")
    scan_before = models.CharField("analyse avant le signalement", max_length=11, choices=StoredFile.Scan)
    state = models.CharField("état", max_length=9, choices=State, default=State.OPEN)
    decided_by = models.ForeignKey(
        User, models.PROTECT, related_name="+", null=True, blank=True, verbose_name="décidé par"
    )
    decided_at = models.DateTimeField("décision", null=True, blank=True)
    message = models.TextField("motif de la décision", blank=True)

    objects = PatientDataReportQuerySet.as_manager()

    class Meta:
        verbose_name = "signalement de données de patients"
        verbose_name_plural = "signalements de données de patients"
        ordering = ["-at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["evidence"], condition=Q(state="open"), name="one_open_report"),
            models.CheckConstraint(
                condition=Q(state="open", decided_at=None) | ~Q(state="open") & Q(decided_at__isnull=False),
                name="decided_report_has_a_date",
            ),
        ]

    @property
    def is_open(self) -> bool:
        return self.state == self.State.OPEN


class BankDetailsQuerySet(models.QuerySet):
    def visible_to(self, user):
        return self.filter(application__in=Application.objects.visible_to(user))

    def open(self):
        return self.filter(state=BankDetails.State.OPEN)


class BankDetails(models.Model):
    """Other bank details, asked for after acceptance with a new RIB, and what the ANS made of them."""

    class State(models.TextChoices):
        OPEN = "open", "En attente"
        CONFIRMED = "confirmed", "Confirmée"
        REFUSED = "refused", "Refusée"
        REPLACED = "replaced", "Remplacée"

    application = models.ForeignKey(Application, models.PROTECT, related_name="bank_details", verbose_name="dossier")
    by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name="demandées par")
    at = models.DateTimeField("date", default=timezone.now)
    values = models.JSONField("coordonnées", help_text="Par clé de question de la candidature.")
    file = models.OneToOneField(StoredFile, models.PROTECT, related_name="bank_details", verbose_name="RIB")
    state = models.CharField("état", max_length=9, choices=State, default=State.OPEN)
    decided_by = models.ForeignKey(
        User, models.PROTECT, related_name="+", null=True, blank=True, verbose_name="décidées par"
    )
    decided_at = models.DateTimeField("décision", null=True, blank=True)
    message = models.TextField("motif du refus", blank=True)

    objects = BankDetailsQuerySet.as_manager()

    class Meta:
        verbose_name = "changement de coordonnées bancaires"
        verbose_name_plural = "changements de coordonnées bancaires"
        ordering = ["-at"]
        constraints = [
            models.UniqueConstraint(
                fields=["application"], condition=Q(state="open"), name="one_open_change_of_bank_details"
            )
        ]

    @property
    def is_open(self) -> bool:
        return self.state == self.State.OPEN


class SpaceTemplateQuerySet(models.QuerySet):
    def latest_of(self, domain: Domain):
        """The version in force of each space of the domain."""
        newer = SpaceTemplate.objects.filter(domain=OuterRef("domain"), question=OuterRef("question"))
        newer = newer.filter(number__gt=OuterRef("number"))
        return self.filter(domain=domain).exclude(Exists(newer))


class SpaceTemplate(models.Model):
    """« Modèle »: a document that an evidence space gives to fill in. A version, once published, is never changed."""

    domain = models.ForeignKey(Domain, models.PROTECT, related_name="space_templates", verbose_name="domaine")
    question = models.SlugField("clé de la question")
    number = models.PositiveSmallIntegerField("version")
    title = models.CharField("intitulé", max_length=160)
    name = models.CharField("nom du fichier", max_length=200)
    content = models.BinaryField()
    size = models.PositiveBigIntegerField("taille (octets)")
    sha256 = models.CharField("SHA-256", max_length=64)
    published_at = models.DateTimeField("publication", default=timezone.now)
    published_by = models.ForeignKey(
        User, models.PROTECT, related_name="+", null=True, blank=True, verbose_name="publié par"
    )  # nobody: a command

    objects = SpaceTemplateQuerySet.as_manager()

    class Meta:
        verbose_name = "modèle"
        ordering = ["domain", "question", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["domain", "question", "number"], name="one_template_per_version")
        ]

    def __str__(self):
        return f"{self.title} (version {self.number})"

    @property
    def extension(self) -> str:
        return self.name.rpartition(".")[2].lower()


class ContainerQuerySet(models.QuerySet):
    def in_pool(self):
        """Those that no dossier has drawn."""
        return self.filter(application=None)

    def live(self):
        """Those that a dossier works with now."""
        return self.filter(superseded_at=None).exclude(application=None)

    def reissued(self):
        """Those whose credentials were lost."""
        return self.exclude(superseded_at=None)

    def matching(self, words: str):
        """Of dossiers that match, or whose reason says it."""
        dossiers = Application.objects.matching(words)
        return self.filter(Q(application__in=dossiers) | Q(reissue_reason__icontains=words)) if words else self

    def replaced_for(self, application, question):
        """Those whose credentials this dossier lost, for the objective of this question."""
        return self.filter(application=application, objective=question.container).exclude(superseded_at=None)


class Container(models.Model):
    """A ZED container that the ANS made with its own tool: one for each dossier and objective.

    Its life: loaded into the pool, drawn by a dossier, activated (then nobody can read its credentials any more),
    superseded by another when they were lost.
    """

    domain = models.ForeignKey(Domain, models.PROTECT, related_name="containers", verbose_name="domaine")
    objective = models.CharField("objectif", max_length=20)
    file = models.OneToOneField(StoredFile, models.PROTECT, related_name="container", verbose_name="fichier")
    sha256 = models.CharField("SHA-256", max_length=64, unique=True, help_text="Le même n’entre pas deux fois.")
    username = models.CharField("nom d’utilisateur", max_length=100, blank=True, help_text="Effacé à l’activation.")
    password = models.BinaryField(null=True, editable=False, help_text="Scellé ; effacé à l’activation.")
    loaded_at = models.DateTimeField("chargement", default=timezone.now)
    application = models.ForeignKey(
        Application, models.PROTECT, related_name="containers", null=True, blank=True, verbose_name="dossier"
    )
    drawn_at = models.DateTimeField("attribution", null=True, blank=True)
    activated_at = models.DateTimeField("activation", null=True, blank=True)
    superseded_at = models.DateTimeField("remplacement", null=True, blank=True)
    reissue_reason = models.TextField("motif du remplacement", blank=True)
    reissued_by = models.ForeignKey(
        User, models.PROTECT, related_name="+", null=True, blank=True, verbose_name="remplacement demandé par"
    )

    objects = ContainerQuerySet.as_manager()

    class Meta:
        verbose_name = "conteneur"
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["domain", "objective"], name="container_pool", condition=Q(application=None)),
            models.Index(
                fields=["-superseded_at"], name="container_reissues", condition=Q(superseded_at__isnull=False)
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["application", "objective"],
                condition=Q(superseded_at=None, application__isnull=False),
                name="one_live_container",
            ),
            models.CheckConstraint(
                condition=Q(application=None, drawn_at=None) | Q(application__isnull=False, drawn_at__isnull=False),
                name="drawn_by_a_dossier",
            ),
            models.CheckConstraint(
                condition=Q(activated_at=None, password__isnull=False) & ~Q(username="")
                | Q(activated_at__isnull=False, drawn_at__isnull=False, password=None, username=""),
                name="activated_means_erased",
            ),
            models.CheckConstraint(
                condition=Q(superseded_at=None, reissue_reason="")
                | Q(superseded_at__isnull=False, activated_at__isnull=False) & ~Q(reissue_reason=""),
                name="superseded_for_a_reason",
            ),
        ]

    def __str__(self):
        return self.file.name


class UploadQuerySet(models.QuerySet):
    def visible_to(self, user):
        """To whoever started it, while they see the dossier."""
        return self.filter(started_by=user, application__in=Application.objects.visible_to(user))

    def on_their_way(self, at: datetime):
        return self.filter(finished_at=None, expires_at__gt=at)


class Upload(models.Model):
    """A file on its way, part by part: what was announced of it; its bytes rest sealed in its parts."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    application = models.ForeignKey(Application, models.CASCADE, related_name="uploads", verbose_name="dossier")
    question = models.ForeignKey(Question, models.PROTECT, related_name="+", verbose_name="espace de dépôt")
    replaces = models.ForeignKey(
        Evidence, models.CASCADE, related_name="+", null=True, blank=True, verbose_name="remplace"
    )
    started_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name="déposé par")
    name = models.CharField("nom", max_length=200)
    size = models.PositiveBigIntegerField("taille annoncée (octets)")
    first_sha256 = models.CharField("SHA-256 de la première partie", max_length=64)
    started_at = models.DateTimeField("début", default=timezone.now)
    expires_at = models.DateTimeField("expiration")
    finished_at = models.DateTimeField("fin", null=True, blank=True)

    objects = UploadQuerySet.as_manager()

    class Meta:
        verbose_name = "dépôt en cours"
        verbose_name_plural = "dépôts en cours"
        ordering = ["started_at"]

    def __str__(self):
        return self.name

    @property
    def count(self) -> int:
        """How many parts the file has."""
        return -(-self.size // PART)

    def length_of(self, rank: int) -> int:
        """Of a part, in bytes: 5 MiB, or what is left for the last one."""
        return min(PART, self.size - rank * PART)

    def context_of(self, rank: int) -> bytes:
        """What a part's seal is bound to, so that none passes for another."""
        return f"part {self.pk} {rank} {'last' if rank == self.count - 1 else 'not last'}".encode()


class UploadPart(models.Model):
    """One part that has come: where its sealed bytes rest, and the digest of the plain ones."""

    upload = models.ForeignKey(Upload, models.CASCADE, related_name="parts", verbose_name="dépôt")
    rank = models.PositiveSmallIntegerField("rang")
    storage_name = models.CharField(max_length=100, unique=True, editable=False)
    sha256 = models.CharField("SHA-256", max_length=64)

    class Meta:
        verbose_name = "partie"
        ordering = ["rank"]
        constraints = [models.UniqueConstraint(fields=["upload", "rank"], name="one_part_per_rank")]
