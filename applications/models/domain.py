"""A funding domain and its forms: everything an administrator edits, nothing that needs code."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from applications.states import Step


class DomainQuerySet(models.QuerySet):
    def open(self, today):
        """Those in which a candidature may be started on that day (Paris date)."""
        return self.filter(candidature_from__lte=today).filter(
            Q(candidature_until=None) | Q(candidature_until__gte=today)
        )

    def not_taken_by(self, establishment):
        """Those in which the establishment has no dossier in place (a withdrawn one leaves the place free)."""
        return self.exclude(applications__in=establishment.applications.in_place())


class Domain(models.Model):
    """A funding domain of the programme. Every date is a Paris day; a last day counts until its last second."""

    class Payment(models.TextChoices):
        LUMP_SUM = "lump_sum", "Forfait égal au plafond"
        ACCEPTED_EXPENSES = "accepted_expenses", "Dépenses retenues, entre le plancher et le plafond"

    class Commitment(models.TextChoices):
        CEILING = "ceiling", "Le plafond"
        REQUESTED = "requested", "Le montant demandé s’il est plus bas, sinon le plafond"

    slug = models.SlugField("identifiant", unique=True)
    position = models.PositiveSmallIntegerField("rang", default=0)
    name = models.CharField("nom", max_length=120, unique=True)
    summary = models.TextField("présentation", blank=True)
    more_url = models.URLField("en savoir plus", blank=True)
    guide_url = models.URLField("guide des prérequis et des objectifs", blank=True)
    kinds = models.JSONField("types d’établissement éligibles", default=list)
    envelope = models.PositiveBigIntegerField("enveloppe (centimes d’euro)", default=0)
    floor = models.PositiveBigIntegerField("plancher (centimes d’euro)", default=700_000)
    payment = models.CharField("montant versé", max_length=17, choices=Payment, default=Payment.ACCEPTED_EXPENSES)
    commitment = models.CharField(
        "montant engagé à l’acceptation", max_length=9, choices=Commitment, default=Commitment.REQUESTED
    )
    activity_year = models.PositiveSmallIntegerField(
        "année de l’activité combinée", null=True, blank=True, help_text="Vide : la dernière année connue."
    )
    has_official_scale = models.BooleanField(
        "barème officiel",
        default=False,
        help_text="Sinon, chaque page dit que le barème est celui d’une démonstration.",
    )
    is_trial = models.BooleanField("domaine d’essai, fictif", default=False)
    expenses_from = models.DateField("ouverture, dépenses prises en compte dès le", null=True, blank=True)
    candidature_from = models.DateField("candidatures dès le", null=True, blank=True)
    candidature_until = models.DateField("dernier jour pour commencer une candidature", null=True, blank=True)
    candidature_first_submission_until = models.DateField(
        "dernier jour pour un premier envoi de la candidature",
        null=True,
        blank=True,
        help_text="Vide : le dernier jour pour commencer.",
    )
    declaration_from = models.DateField(
        "déclarations dès le", null=True, blank=True, help_text="Vide : dès la convention signée."
    )
    declaration_until = models.DateField("dernier jour pour un premier envoi de la déclaration", null=True, blank=True)

    objects = DomainQuerySet.as_manager()

    class Meta:
        verbose_name = "domaine"
        ordering = ["position", "name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(candidature_until=None) | Q(candidature_until__gte=F("candidature_from")),
                name="candidatures_end_after_they_start",
            ),
            models.CheckConstraint(
                condition=Q(declaration_from=None)
                | Q(declaration_until=None)
                | Q(declaration_until__gte=F("declaration_from")),
                name="declarations_end_after_they_start",
            ),
        ]

    def __str__(self):
        return self.name

    @property
    def last_first_submission(self):
        """Last day of a first transmission of the candidature; None: no end."""
        return self.candidature_first_submission_until or self.candidature_until


class FormVersionQuerySet(models.QuerySet):
    def latest_published(self, step: str):
        """The version that a dossier takes when it reaches the step; None before the first publication."""
        return self.filter(step=step).exclude(published_at=None).order_by("-number").first()


class FormVersion(models.Model):
    """One version of one step's form. Once published it is frozen; open dossiers keep theirs."""

    domain = models.ForeignKey(Domain, models.PROTECT, related_name="forms", verbose_name="domaine")
    step = models.CharField("étape", max_length=11, choices=Step)
    number = models.PositiveSmallIntegerField("version", default=1)
    reminder = models.TextField("rappel des prérequis", blank=True)
    published_at = models.DateTimeField("publication", null=True, blank=True)

    objects = FormVersionQuerySet.as_manager()

    class Meta:
        verbose_name = "formulaire"
        ordering = ["domain", "step", "-number"]
        constraints = [models.UniqueConstraint(fields=["domain", "step", "number"], name="one_form_per_version")]

    def __str__(self):
        return f"{self.domain} – {self.get_step_display()} v{self.number}"


class Section(models.Model):
    form = models.ForeignKey(FormVersion, models.CASCADE, related_name="sections", verbose_name="formulaire")
    position = models.PositiveSmallIntegerField("rang")
    title = models.CharField("titre", max_length=160)
    introduction = models.TextField("introduction", blank=True, help_text="« - » en début de ligne : une puce.")

    class Meta:
        verbose_name = "section"
        ordering = ["form", "position"]
        constraints = [models.UniqueConstraint(fields=["form", "position"], name="one_section_per_rank")]

    def __str__(self):
        return self.title


class Question(models.Model):
    """A question of a form. For an evidence space, its limits: the one definition page, browser and server use."""

    class Kind(models.TextChoices):
        TEXT = "text", "Texte court"
        LONG_TEXT = "long_text", "Texte long"
        NUMBER = "number", "Nombre"
        AMOUNT = "amount", "Montant"
        DATE = "date", "Date"
        EMAIL = "email", "Adresse e-mail"
        PHONE = "phone", "Téléphone"
        CIVILITY = "civility", "Civilité"
        CHOICE = "choice", "Choix unique"
        CHOICES = "choices", "Choix multiples"
        CHECKBOX = "checkbox", "Case à cocher"
        IBAN = "iban", "IBAN"
        BIC = "bic", "BIC"
        SIRET = "siret", "SIRET"
        EVIDENCE = "evidence", "Espace de dépôt"
        CHECKLIST = "checklist", "Liste des entités rattachées"
        EXPENSES = "expenses", "Lignes de dépenses"

    class ContactRole(models.TextChoices):
        DSI = "dsi", "DSI"
        RSSI = "rssi", "RSSI"
        SIGNATORY = "signatory", "Signataire de la convention"

    section = models.ForeignKey(Section, models.CASCADE, related_name="questions", verbose_name="section")
    position = models.PositiveSmallIntegerField("rang")
    key = models.SlugField("clé", help_text="Stable d’une version à l’autre : « iban », « d1-o1-a ».")
    kind = models.CharField("type", max_length=10, choices=Kind)
    label = models.CharField("intitulé", max_length=300)
    help = models.TextField("aide", blank=True)
    checkbox_label = models.CharField("texte de la case", max_length=400, blank=True)
    is_required = models.BooleanField("obligatoire", default=True)
    choices = models.JSONField("choix", default=list, blank=True, help_text='[["oui", "Oui"], ["non", "Non"]]')
    shown_if = models.JSONField(
        "affichée si",
        default=dict,
        blank=True,
        help_text='{"ps1-1": ["non"], "@kind": ["ght"]} : toutes ces conditions.',
    )
    contact_role = models.CharField("contact", max_length=9, choices=ContactRole, blank=True)
    contact_field = models.CharField("champ du contact", max_length=20, blank=True)
    formats = models.JSONField("formats", default=list, blank=True, help_text='["pdf", "docx"]')
    max_megabytes = models.PositiveSmallIntegerField(
        "taille par fichier (Mo de 1 048 576 octets)",
        default=10,
        validators=[MinValueValidator(1), MaxValueValidator(200)],
    )
    max_files = models.PositiveSmallIntegerField("nombre de fichiers", default=10)
    container = models.CharField(
        "objectif du conteneur chiffré",
        max_length=20,
        blank=True,
        help_text="« D1.O1 » : l’espace remet un conteneur ZED de cet objectif. Vide : aucun.",
    )
    objective = models.CharField(
        "objectif attesté",
        max_length=20,
        blank=True,
        help_text="« D1.O1.A » : cette case atteste qu’un objectif est atteint ; l’ANS le valide ou non. Vide : aucun.",
    )
    activity_share = models.PositiveSmallIntegerField(
        "part de l’activité combinée à confirmer (%)",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text="Ce que les entités confirmées d’une liste doivent représenter. Vide : rien n’est demandé.",
    )

    class Meta:
        verbose_name = "question"
        ordering = ["section__position", "position"]
        constraints = [
            models.UniqueConstraint(fields=["section", "position"], name="one_question_per_rank"),
            models.UniqueConstraint(fields=["section", "key"], name="one_question_per_key"),
        ]

    def __str__(self):
        return self.label

    @property
    def form(self) -> FormVersion:
        return self.section.form

    @property
    def is_evidence(self) -> bool:
        return self.kind == self.Kind.EVIDENCE

    @property
    def max_bytes(self) -> int:
        """Size limit of one file, in bytes: 1 Mo is 1,048,576 bytes, as the applicant's computer counts."""
        return self.max_megabytes * 1024 * 1024


def questions_of(form: FormVersion) -> list[Question]:
    """All questions of a form in order, with their sections."""
    return list(
        Question.objects.filter(section__form=form).select_related("section").order_by("section__position", "position")
    )
