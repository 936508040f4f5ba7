"""What an administrator types of a form's questions: lines, rows and boxes instead of raw data."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import Truncator, slugify

from applications.form_faults import CONTACT_FIELDS, FORMATS, answers_to, faults_of_question
from applications.models import Question, Section
from applications.rules import KIND

CONDITION = "condition_"
OF_KIND = f"{CONDITION}kind"


class ChoicesField(forms.CharField):
    """« oui = Oui » or « Oui » alone, one line each, to [["oui", "Oui"], …] and back."""

    widget = forms.Textarea(attrs={"rows": 4, "cols": 60})

    def prepare_value(self, value):
        return "\n".join(f"{code} = {label}" for code, label in value) if isinstance(value, list) else value

    def to_python(self, value):
        pairs = []
        for number, line in enumerate((value or "").splitlines(), start=1):
            if not line.strip():
                continue
            code, sign, label = (part.strip() for part in line.partition("="))
            if not sign:
                code, label = _value_of(code), code
            if not (code and label):
                raise ValidationError(
                    f"Ligne {number}, « {line.strip()} » : écrivez l’intitulé seul, ou « valeur = Intitulé »."
                )
            pairs.append([code, label])
        return pairs

    def has_changed(self, initial, data):
        return (initial or []) != self.to_python(data)


def _value_of(label: str) -> str:
    """What stands for a label in the answers, made as a key is."""
    return slugify(label)[:50].strip("-")


class SectionForm(forms.ModelForm):
    class Meta:
        model = Section
        fields = ["title", "introduction"]


class QuestionForm(forms.ModelForm):
    """All that a question may say, grouped; what its kind has no use for is refused with a sentence.

    `earlier`: the questions before it, on whose answers it may be shown (`with_conditions`).
    """

    earlier: list[Question] = []

    key = forms.SlugField(
        label="Clé",
        required=False,
        help_text="Stable d’une version à l’autre : « iban », « d1-o1-a ». Vide : elle est faite de l’intitulé.",
    )
    choices = ChoicesField(
        label="Réponses possibles",
        required=False,
        help_text="Une par ligne, par exemple « Avant le 31 décembre ». Pour fixer aussi la valeur enregistrée, qui ne "
        "se voit pas, écrivez « avant = Avant le 31 décembre ».",
    )
    contact_field = forms.ChoiceField(
        label="Ce qu’on en demande", required=False, choices=[("", "–"), *CONTACT_FIELDS.items()]
    )
    formats = forms.MultipleChoiceField(
        label="Formats acceptés",
        required=False,
        choices=[(one, one) for one in FORMATS],
        widget=forms.CheckboxSelectMultiple,
    )
    max_megabytes = forms.IntegerField(
        label="Taille par fichier (Mo)", required=False, help_text="De 1 à 200. Vide : 10. 1 Mo = 1 048 576 octets."
    )
    max_files = forms.IntegerField(label="Nombre de fichiers", required=False, help_text="De 1 à 100. Vide : 10.")
    stale = forms.MultipleChoiceField(
        label="Conditions à retirer",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Elles portent sur une question qui n’est pas, ou plus, posée avant celle-ci.",
    )

    class Meta:
        model = Question
        fields = (
            "section key kind label help is_required checkbox_label choices contact_role contact_field formats"
            " max_megabytes max_files container objective activity_share"
        ).split()
        widgets = {"label": forms.TextInput(attrs={"size": 80}), "help": forms.Textarea(attrs={"rows": 3, "cols": 60})}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if not self.instance.is_evidence:
            self.initial |= {"max_megabytes": None, "max_files": None}
        shown_if = self.instance.shown_if
        for name, (key, _other) in self._conditions().items():
            self.initial[name] = [_code(value) for value in shown_if.get(key, [])]
        known = {key for key, _other in self._conditions().values()}
        self.fields["stale"].choices = [(key, f"« {key} »") for key in shown_if if key not in known]

    @classmethod
    def with_conditions(cls, earlier: list[Question]) -> type["QuestionForm"]:
        """One row of boxes per question on whose answers another may be shown, and one for the establishment."""
        asked = [question for question in earlier if answers_to(question)]
        rows = {OF_KIND: _row("Type d’établissement", None)}
        rows |= {
            f"{CONDITION}{rank}": _row(f"« {Truncator(question.label).chars(90)} »", question)
            for rank, question in enumerate(asked)
        }
        return type("QuestionForm", (cls,), {"earlier": asked, **rows})

    def _conditions(self) -> dict[str, tuple[str, Question | None]]:
        """By name of the row: the key in `shown_if`, and whose answers it lists."""
        rows: dict[str, tuple[str, Question | None]] = {OF_KIND: (KIND, None)}
        return rows | {f"{CONDITION}{rank}": (other.key, other) for rank, other in enumerate(self.earlier)}

    def clean_key(self):
        return self.cleaned_data["key"] or _value_of(self.data.get("label", ""))

    def clean(self):
        cleaned = super().clean()
        if self.cleaned_data.get("kind") != Question.Kind.EVIDENCE:
            for name in ("max_megabytes", "max_files"):
                if cleaned.get(name) is not None:
                    self.add_error(name, "Seul un espace de dépôt a cette limite : videz ce champ, ou changez le type.")
        for name in ("max_megabytes", "max_files"):
            if cleaned.get(name) is None:
                cleaned[name] = 10
        return cleaned

    def _post_clean(self):
        super()._post_clean()
        self.instance.shown_if = self._shown_if()
        if "section" in self.errors or "kind" in self.errors:
            return
        for fault in faults_of_question(self.instance):
            if fault.field not in self.errors:
                self.add_error(fault.field, fault.message)
        self._refuse_a_key_taken()

    def _shown_if(self) -> dict:
        kept = dict(self.instance.shown_if)
        for key in self.cleaned_data.get("stale", []):
            kept.pop(key, None)
        for name, (key, other) in self._conditions().items():
            ticked = self.cleaned_data.get(name) or []
            accepted = [value for value, _label in answers_to(other) if _code(value) in ticked]
            kept.pop(key, None)
            if accepted:
                kept[key] = accepted
        return kept

    def _refuse_a_key_taken(self) -> None:
        others = Question.objects.filter(section__form=self.instance.section.form_id, key=self.instance.key)
        if "key" not in self.errors and (other := others.exclude(pk=self.instance.pk).first()):
            self.add_error("key", f"« {other.label} » a déjà cette clé dans ce formulaire : donnez-en une autre.")


def _row(label: str, question: Question | None) -> forms.Field:
    choices = [(_code(value), said) for value, said in answers_to(question)]
    return forms.MultipleChoiceField(label=label, required=False, choices=choices, widget=forms.CheckboxSelectMultiple)


def _code(value) -> str:
    """A box and its absence, which are true and false in a condition, as the page posts them."""
    if isinstance(value, bool):
        return "@ticked" if value else "@unticked"
    return str(value)
