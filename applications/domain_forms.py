"""What an administrator types of a domain: euros and Paris days; what a date closes is confirmed first."""

import hashlib
from datetime import datetime

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import capfirst

from applications.consequences import consequences
from applications.domains import STALE, mark_of
from applications.fields import AmountField
from applications.models import Bracket, Domain
from applications.money import faults_of
from applications.scales import ScaleError, missing_kinds, read_scales_in
from establishments.models import Establishment

ORDERED_DAYS = (
    ("candidature_from", "candidature_until", "La fin des candidatures précède leur ouverture."),
    (
        "candidature_from",
        "candidature_first_submission_until",
        "Le dernier jour de transmission précède l’ouverture des candidatures.",
    ),
    ("declaration_from", "declaration_until", "La fin des déclarations précède leur ouverture."),
)
CONFIRM = "Ce changement a des conséquences pour les dossiers en cours : relisez-les en haut de la page, puis cochez "
SCALE_MAX_BYTES = 1024 * 1024


class EurosField(AmountField):
    """« 65 000 000 » or « 7 000,50 », kept in cents; nothing at all is an amount too."""

    def __init__(self, **options):
        super().__init__(**options)
        self.widget.attrs |= {"size": 20}

    def prepare_value(self, value):
        return self.typed(value) if isinstance(value, int) else value

    def to_python(self, value):
        if "".join((value or "").split()).rstrip("€") in ("0", "0,0", "0,00"):
            return 0
        cents = super().to_python(value)
        if cents is None:
            raise ValidationError("Saisissez un montant en euros, 0 s’il n’y en a pas. Exemple : 65 000 000.")
        return cents

    def has_changed(self, initial, data):
        if not (data or "").strip():  # the row that waits for one more bracket
            return initial is not None
        try:
            return self.to_python(data) != initial
        except ValidationError:
            return True


class _Tick(forms.CheckboxInput):
    """A box whose value is the digest of what is confirmed."""

    def value_from_datadict(self, data, files, name):
        return data.get(name, "")

    def format_value(self, value):
        return None


class DomainForm(forms.ModelForm):
    """`at`: when the page was asked for, which its ModelAdmin sets."""

    at: datetime

    kinds = forms.MultipleChoiceField(
        label="Types d’établissement éligibles", choices=Establishment.Kind, widget=forms.CheckboxSelectMultiple
    )
    envelope = EurosField(label="Enveloppe (€)")
    floor = EurosField(label="Plancher (€)")
    shown = forms.CharField(required=False, widget=forms.HiddenInput)
    confirmed = forms.CharField(required=False, widget=forms.HiddenInput, label="J’ai lu ces conséquences")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.consequences: list[str] = []
        if self.instance.pk and "shown" in self.fields:
            self.initial["shown"] = mark_of(self.instance)

    def clean(self):
        cleaned = super().clean()
        for first, last, told in ORDERED_DAYS:
            if cleaned.get(first) and cleaned.get(last) and cleaned[last] < cleaned[first]:
                self.add_error(last, told)
        if cleaned.get("candidature_until") and not cleaned.get("candidature_from"):
            self.add_error("candidature_from", "Une fin de candidatures demande leur premier jour.")
        if self.instance.pk and not self.errors:
            self._weigh(cleaned)
        return cleaned

    def _weigh(self, cleaned) -> None:
        """Nothing that closes something is saved before it was read."""
        if cleaned["shown"] != mark_of(self.instance):
            raise ValidationError(STALE)
        names = {field.name for field in Domain._meta.get_fields() if field.name in cleaned}
        after = Domain(pk=self.instance.pk, **{name: cleaned[name] for name in names})
        self.consequences = consequences(self.instance, after, self.at)
        digest = hashlib.sha256("\n".join(self.consequences).encode()).hexdigest()
        if not self.consequences or cleaned["confirmed"] == digest:
            return
        self.fields["confirmed"].widget = _Tick(attrs={"value": digest})
        self.add_error("confirmed", f"{CONFIRM}« {self.fields['confirmed'].label} ».")


def _name_cells(form: forms.BaseForm) -> None:
    """In a table a control has no label of its own: which column, and which line."""
    rank = form.prefix.rpartition("-")[2]
    line = f", tranche {int(rank) + 1}" if rank.isdecimal() else ""
    for field in form.fields.values():
        field.widget.attrs["aria-label"] = f"{capfirst(field.label or '')}{line}"


class BracketForm(forms.ModelForm):
    ceiling = EurosField(label="Plafond (€)")

    class Meta:
        model = Bracket
        fields = ["kind", "days_from", "days_until", "ceiling"]


class ScaleFormSet(forms.BaseInlineFormSet):
    """A scale is right as a whole: no day left out, none with two ceilings."""

    def add_fields(self, form, index):
        super().add_fields(form, index)
        if "DELETE" in form.fields:
            form.fields["DELETE"].label = "Supprimer"
        _name_cells(form)

    def clean(self):
        super().clean()
        kept = [form for form in self.forms if form.has_changed() or form.instance.pk]
        if any(self.errors):
            return
        lines = {id(form.instance): form for form in kept if not self._should_delete_form(form)}
        brackets = [form.instance for form in lines.values()]
        for kind in Establishment.Kind:
            for bracket, message in faults_of([one for one in brackets if one.kind == kind]):
                lines[id(bracket)].add_error("days_from", message[0].upper() + message[1:])


class ScaleForm(forms.Form):
    """A scale as a CSV file, or as the page that showed it sends it back."""

    file = forms.FileField(
        label="Fichier CSV",
        required=False,
        help_text="En-tête « domaine;type;journees_de;journees_a;plafond_euros ». Seules les lignes de ce domaine "
        "sont prises.",
    )
    is_official = forms.BooleanField(label="Barème officiel de l’appel à financement", required=False)
    content = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, domain: Domain, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.domain = domain
        self.brackets: list[Bracket] = []

    def clean(self):
        cleaned = super().clean()
        if "file" in self.errors:
            return cleaned
        upload, text = cleaned.get("file"), cleaned.get("content", "")
        if not upload and not text:
            self.add_error("file", "Choisissez un fichier CSV.")
            return cleaned
        if upload and upload.size > SCALE_MAX_BYTES:
            self.add_error("file", "Ce fichier dépasse 1 Mo : ce n’est pas un barème.")
            return cleaned
        name, content = (upload.name, upload.read()) if upload else ("Le barème", text.encode())
        try:
            self.brackets = self._of_domain(read_scales_in(content, name=name))
        except ScaleError as error:
            self.add_error("file", str(error).splitlines())
        return cleaned

    def _of_domain(self, scales: dict[str, list[Bracket]]) -> list[Bracket]:
        brackets = scales.get(self.domain.slug)
        if brackets is None:
            named = ", ".join(f"« {slug} »" for slug in scales)
            raise ScaleError(f"Aucune ligne pour « {self.domain.slug} » : le fichier parle de {named}.")
        if forgotten := missing_kinds(self.domain, brackets):
            raise ScaleError(f"Aucune tranche pour {', '.join(forgotten)}, que ce domaine accepte.")
        return brackets
