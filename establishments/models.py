"""The directory: regions, hospital groups, legal entities, sites, and the establishments that may apply."""

import re
import unicodedata
import uuid
from functools import reduce
from operator import or_

from django.contrib.postgres.search import TrigramWordSimilarity
from django.db import connections, models
from django.db.models import F, Q, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Replace
from django.db.models.lookups import GreaterThanOrEqual

from ecare import tracing
from ecare.french import paris_datetime

_LIGATURES = str.maketrans({"œ": "oe", "Œ": "oe", "æ": "ae", "Æ": "ae"})
# What the directory abbreviates and people type in full.
_SPELT_OUT = {
    "ch": "centre hospitalier",
    "chi": "centre hospitalier intercommunal",
    "chs": "centre hospitalier specialise",
    "chu": "centre hospitalier universitaire",
    "cl": "clinique",
    "ctre": "centre",
    "hop": "hopital",
    "st": "saint",
    "ste": "sainte",
}
_GHT_PREFIXES = "ara|bfc|bre|cor|cvl|ge|gua|guy|hdf|hf|idf|mars|na|nor|occ|oi|paca|pdl"
SHORTEST_MISSPELT = 3  # shorter words, and numbers, are right or wrong
LIKE_ENOUGH = 0.5  # of a word's trigrams: « carcasone » has 0.57 of « carcassonne »
_WORDS = re.compile(rf"\b(?:{_GHT_PREFIXES}) \d{{1,2}}\b|\w+")


def normalised(text: str) -> str:
    """`text` without accents, in lower case, punctuation as single spaces: what search and sort compare."""
    plain = unicodedata.normalize("NFKD", text).translate(_LIGATURES)
    letters = "".join(c for c in plain if not unicodedata.combining(c))
    return " ".join("".join(c if c.isalnum() else " " for c in letters.lower()).split())


def searchable(*texts: str) -> str:
    """What `matching` looks into: `texts` normalised, then their abbreviations spelt out, no word twice."""
    text = normalised(" ".join(texts))
    words = text.split()
    spelt_out = [word for short in words for word in _SPELT_OUT.get(short, "").split()]
    added = [word for word in dict.fromkeys(spelt_out) if word not in words]
    return " ".join([text, *added])


def words_of(text: str) -> list[str]:
    """The words that were typed, normalised; a GHT code is one: "occ 04" is not an "occ" here and a "04" there."""
    return _WORDS.findall(normalised(text))


class SearchQuerySet(models.QuerySet):
    """Rows that carry a `search_text` made by `searchable`."""

    def matching(self, words: str):
        """Each word is found in the name, town, FINESS or GHT code, accents and case forgiven."""
        found = self
        for word in words_of(words):
            found = found.filter(search_text__contains=word)
        return found

    def resembling(self, words: str):
        """For when nothing matches: each word is found, or one spelt nearly alike; the most alike first.

        Apart from `matching`, so that pages say that these are guesses, and pay for them only when they need them.
        SQLite measures no likeness: nothing resembles there.
        """
        if connections[self.db].vendor != "postgresql":
            return self.none()
        found = self
        likeness: Combinable = Value(0.0, models.FloatField())
        for word in words_of(words):
            is_found = Q(search_text__contains=word)
            if word.isalpha() and len(word) >= SHORTEST_MISSPELT:
                alike = TrigramWordSimilarity(word, "search_text")
                is_found |= Q(GreaterThanOrEqual(alike, Value(LIKE_ENOUGH)))
                likeness = likeness + alike
            found = found.filter(is_found)
        return found.alias(likeness=likeness).order_by("-likeness", *self.model._meta.ordering)


class SiteQuerySet(models.QuerySet):
    def matching(self, words: str):
        """Each word is found in the name, town or FINESS, as typed or as the directory mostly writes it: no accents."""
        found = self
        for word in words.split():
            ways = {word, normalised(word)}
            places = [Q(**{f"{field}__icontains": way}) for field in ("name", "town", "finess") for way in ways]
            found = found.filter(reduce(or_, places))
        return found


class GhtQuerySet(models.QuerySet):
    def matching(self, words: str):
        """Groups whose establishment matches: by code, name or member."""
        return self.filter(establishment__in=Establishment.objects.matching(words))


class Region(models.Model):
    """A French region and its regional health agency (ARS). Source: regions.csv (INSEE codes)."""

    code = models.CharField(max_length=2, primary_key=True)
    name = models.CharField("nom", max_length=60, unique=True)
    ars = models.CharField("ARS", max_length=80)

    class Meta:
        verbose_name = "région"
        # Both engines would put Île-de-France after Z.
        ordering = [Replace(F("name"), Value("Î"), Value("I"))]

    def __str__(self):
        return self.name


class Department(models.Model):
    """A FINESS department code (2A, 2B, 9A to 9F overseas) and its region."""

    code = models.CharField(max_length=2, primary_key=True)
    name = models.CharField("nom", max_length=60)
    region = models.ForeignKey(Region, models.PROTECT, related_name="departments", verbose_name="région")

    class Meta:
        verbose_name = "département"
        ordering = ["code"]

    def __str__(self):
        return f"{self.name} ({self.code})"


class LegalEntity(models.Model):
    """Entité juridique (EJ), one line of the FINESS extract cs1100501."""

    finess = models.CharField("FINESS EJ", max_length=9, unique=True)
    name = models.CharField("raison sociale", max_length=60)
    address = models.CharField("adresse", max_length=160, blank=True)
    postcode = models.CharField("code postal", max_length=5, blank=True)
    town = models.CharField("commune", max_length=40, blank=True)
    department = models.ForeignKey(
        Department, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="département"
    )
    phone = models.CharField("téléphone", max_length=10, blank=True)
    legal_status = models.CharField("statut juridique", max_length=2, blank=True)
    legal_status_label = models.CharField("libellé du statut juridique", max_length=60, blank=True)
    siren = models.CharField("SIREN", max_length=9, blank=True)
    ape = models.CharField("code APE", max_length=5, blank=True)
    created_on = models.DateField("création", null=True, blank=True)
    closed_on = models.DateField("fermeture constatée", null=True, blank=True)
    search_text = models.TextField(editable=False)

    objects = SearchQuerySet.as_manager()

    class Meta:
        verbose_name = "entité juridique"
        verbose_name_plural = "entités juridiques"
        ordering = ["name", "finess"]

    def __str__(self):
        return f"{self.name} ({self.finess})"

    @property
    def is_public(self) -> bool:
        """Public legal statuses are coded 01 to 30 in the FINESS nomenclature."""
        return self.legal_status.isdigit() and 1 <= int(self.legal_status) <= 30

    @property
    def is_private(self) -> bool:
        return bool(self.legal_status) and not self.is_public


class Site(models.Model):
    """Entité géographique (EG), one line of the FINESS extract cs1100502."""

    HOSPITAL_AGGREGATES = frozenset(
        ["1101", "1102", "1103", "1104", "1106", "1107", "1109", "1110", "1111", "1201", "1203", "1205"]
    )

    finess = models.CharField("FINESS EG", max_length=9, unique=True)
    legal_entity = models.ForeignKey(LegalEntity, models.CASCADE, related_name="sites", verbose_name="entité juridique")
    name = models.CharField("raison sociale", max_length=60)
    address = models.CharField("adresse", max_length=160, blank=True)
    postcode = models.CharField("code postal", max_length=5, blank=True)
    town = models.CharField("commune", max_length=40, blank=True)
    department = models.ForeignKey(
        Department, models.PROTECT, null=True, blank=True, related_name="+", verbose_name="département"
    )
    category = models.CharField("catégorie", max_length=3)
    category_label = models.CharField("libellé de la catégorie", max_length=60, blank=True)
    category_aggregate = models.CharField("agrégat de catégorie", max_length=4)
    siret = models.CharField("SIRET", max_length=14, blank=True)
    opened_on = models.DateField("ouverture", null=True, blank=True)
    closed_on = models.DateField("fermeture constatée", null=True, blank=True)

    objects = SiteQuerySet.as_manager()

    class Meta:
        verbose_name = "entité géographique"
        verbose_name_plural = "entités géographiques"
        ordering = ["name", "finess"]

    def __str__(self):
        return f"{self.name} ({self.finess})"

    @property
    def is_hospital(self) -> bool:
        return self.category_aggregate in self.HOSPITAL_AGGREGATES


class Ght(models.Model):
    """Groupement hospitalier de territoire: its code, its support establishment, its members."""

    code = models.CharField("code GHT", max_length=10, unique=True)
    name = models.CharField("intitulé", max_length=120)
    support = models.ForeignKey(LegalEntity, models.PROTECT, related_name="+", verbose_name="établissement support")
    members = models.ManyToManyField(LegalEntity, related_name="ghts", verbose_name="entités membres")
    closed_on = models.DateField("fermeture constatée", null=True, blank=True)

    objects = GhtQuerySet.as_manager()

    class Meta:
        verbose_name = "GHT"
        verbose_name_plural = "GHT"
        ordering = ["code"]

    def __str__(self):
        return f"{self.code} {self.name}"


class Activity(models.Model):
    """Combined activity of a legal entity for one year, in MCO-equivalent days."""

    legal_entity = models.ForeignKey(LegalEntity, models.CASCADE, related_name="activities")
    year = models.PositiveSmallIntegerField("année")
    days = models.PositiveIntegerField("journées")

    class Meta:
        verbose_name = "activité combinée"
        verbose_name_plural = "activités combinées"
        constraints = [models.UniqueConstraint(fields=["legal_entity", "year"], name="one_activity_per_year")]


class EstablishmentQuerySet(SearchQuerySet):
    def open(self):
        """Those that may be chosen today: the directory still lists them as open and eligible."""
        return self.filter(closed_on=None)


class Establishment(models.Model):
    """An establishment that may apply, of one of three kinds; made and kept current by the import."""

    class Kind(models.TextChoices):
        GHT = "ght", "Groupement Hospitalier de Territoire"
        PUBLIC = "public", "Entité Juridique Publique hors GHT"
        PRIVATE = "private", "Entité Juridique Privée"

    kind = models.CharField("type d’établissement", max_length=7, choices=Kind)
    ght = models.OneToOneField(Ght, models.PROTECT, null=True, blank=True)
    legal_entity = models.ForeignKey(
        LegalEntity,
        models.PROTECT,
        related_name="establishments",
        help_text="Entité juridique, ou établissement support d’un GHT.",
        verbose_name="entité juridique",
    )
    region = models.ForeignKey(Region, models.PROTECT, related_name="establishments", verbose_name="région")
    name = models.CharField("nom", max_length=120)
    search_text = models.TextField(editable=False)
    closed_on = models.DateField("fermeture constatée", null=True, blank=True)

    objects = EstablishmentQuerySet.as_manager()

    class Meta:
        verbose_name = "établissement"
        ordering = ["name", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="ght", ght__isnull=False) | (~Q(kind="ght") & Q(ght__isnull=True)),
                name="only_a_ght_has_a_ght",
            ),
            models.UniqueConstraint(
                fields=["legal_entity"], condition=~Q(kind="ght"), name="one_establishment_per_legal_entity"
            ),
        ]
        indexes = [
            models.Index(fields=["kind", "region", "name"], name="establishment_choice"),
            models.Index(fields=["name", "id"], name="establishment_by_name"),
        ]

    def __str__(self):
        return f"{self.ght.code} – {self.name}" if self.ght_id else self.name

    @property
    def identity(self) -> str:
        """Its name and FINESS number; for a group, those of its support establishment."""
        if self.ght_id:
            return f"{self} (établissement support : {self.legal_entity.name}, {self.finess})"
        return f"{self} ({self.finess})"

    @property
    def finess(self) -> str:
        """FINESS EJ of the entity, or of the support establishment of a GHT."""
        return self.legal_entity.finess

    @property
    def subject(self) -> str:
        """How letters and the journal name this establishment."""
        return f"establishment:{self.pk}"

    def entities(self):
        """The attached entities that the guide shows (page 10): EJs of a GHT, EGs of an EJ; open ones, by name."""
        if self.ght_id:
            return LegalEntity.objects.filter(ghts=self.ght_id, closed_on=None)
        return self.legal_entity.sites.filter(closed_on=None)


class DirectoryImport(models.Model):
    """One run of the import and its report."""

    KINDS = {
        "regions": "Régions",
        "departments": "Départements",
        "legal_entities": "Entités juridiques (EJ)",
        "sites": "Entités géographiques (EG)",
        "ghts": "GHT",
        "activities": "Activités combinées",
        "establishments": "Établissements candidats",
    }
    MEASURES = {
        "read": "lues",
        "created": "créées",
        "changed": "modifiées",
        "unchanged": "inchangées",
        "closed": "fermées",
        "reopened": "rouvertes",
        "warned": "signalées",
        "refused": "refusées",
    }
    SEVERITIES = {"refused": "Refusée", "warned": "Signalée"}

    at = models.DateTimeField("date", auto_now_add=True)
    by = models.CharField("par", max_length=160)
    files = models.JSONField("fichiers lus", help_text="Nom, date de l’extraction et nombre de lignes de chacun.")
    counts = models.JSONField("compteurs", help_text="Par nature : lues, créées, modifiées…")
    remarks = models.JSONField("lignes refusées ou signalées", help_text="Fichier, ligne, gravité, motif.")

    class Meta:
        verbose_name = "import du répertoire"
        verbose_name_plural = "imports du répertoire"
        ordering = ["-at", "-pk"]

    def __str__(self):
        return f"Import n° {self.pk}"

    def total(self, measure: str) -> int:
        """Over all kinds of lines; the establishments that follow from them are not lines."""
        return sum(self.counts[kind][measure] for kind in self.KINDS if kind != "establishments")


class ImportRequest(models.Model):
    """An import that an administrator asked for: tried first, then confirmed; workers run both, never the request."""

    class State(models.TextChoices):
        TRIAL = "trial", "Essai à blanc en attente"
        TRIED = "tried", "Essai terminé, à confirmer"
        QUEUED = "queued", "Import en attente"
        DONE = "done", "Importé"
        FAILED = "failed", "Échec"
        GIVEN_UP = "given_up", "Abandonné"

    RUNNABLE = (State.TRIAL, State.QUEUED)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    asked_at = models.DateTimeField("demandé le")
    actor = models.CharField(max_length=80, editable=False)
    by = models.CharField("par", max_length=160)
    files = models.JSONField("fichiers reçus", help_text="Nom, nom dans la réserve privée et taille de chacun.")
    state = models.CharField("état", max_length=8, choices=State, default=State.TRIAL)
    progress = models.CharField("avancement", max_length=200, blank=True)
    trial = models.JSONField("essai à blanc", default=dict, blank=True, help_text="Fichiers lus, compteurs, remarques.")
    tried_after = models.PositiveBigIntegerField(null=True, blank=True, editable=False)
    report = models.OneToOneField(
        DirectoryImport, models.PROTECT, null=True, blank=True, related_name="request", verbose_name="rapport"
    )
    error = models.CharField("erreur", max_length=500, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    lease = models.UUIDField(null=True, blank=True, editable=False)
    leased_until = models.DateTimeField(null=True, blank=True, editable=False)
    request_id = models.CharField(
        max_length=tracing.LENGTH, default=tracing.current, db_default="", blank=True, editable=False
    )

    class Meta:
        verbose_name = "mise à jour du répertoire"
        verbose_name_plural = "mises à jour du répertoire"
        ordering = ["-asked_at"]
        indexes = [
            models.Index(fields=["asked_at"], name="import_to_run", condition=Q(state__in=["trial", "queued"])),
            models.Index(fields=["-asked_at"], name="import_latest"),
        ]
        constraints = [
            models.CheckConstraint(condition=~Q(state="done") | Q(report__isnull=False), name="imported_has_a_report")
        ]

    def __str__(self):
        return f"Mise à jour du {paris_datetime(self.asked_at)}"

    @property
    def is_awaited(self) -> bool:
        """A worker has it, or will."""
        return self.state in self.RUNNABLE

    @property
    def tried(self) -> DirectoryImport | None:
        """The report of the trial, which is no row of its own."""
        return DirectoryImport(by=self.by, **self.trial) if self.trial else None
