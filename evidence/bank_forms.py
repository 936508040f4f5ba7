"""What a référent types to change the bank details, made from the questions of the candidature."""

from django import forms
from django.core.exceptions import ValidationError

from applications.fields import field_for
from applications.forms import spoken
from applications.models import Question
from ecare.french import megabytes
from evidence import files
from evidence.rules import RIB_FORMATS, RIB_MAX_BYTES, BankQuestions


def spoken_details(questions: list[Question], values: dict) -> list[tuple[str, str]]:
    """Bank details as they are read: pairs (label, value)."""
    return [(question.label, spoken(question, values.get(question.key))) for question in questions]


class BankDetailsForm(forms.Form):
    """The questions of the candidature about the account, each required here, and the new RIB."""

    def __init__(self, questions: BankQuestions, values: dict, data=None, uploads=None):
        super().__init__(data, uploads, auto_id="id_%s")
        self.questions, self.values = questions, values
        for question in questions.fields:
            made = field_for(question)
            made.required, made.initial = True, made.typed(values.get(question.key))
            self.fields[question.key] = made
        rib = questions.rib
        self.formats = rib.formats if rib else RIB_FORMATS
        self.max_bytes = rib.max_bytes if rib else RIB_MAX_BYTES
        self.fields["upload"] = forms.FileField(
            label="Nouveau RIB",
            help_text=f"Un seul fichier, {megabytes(self.max_bytes)} au plus. Formats : {', '.join(self.formats)}.",
            widget=forms.FileInput(attrs={"accept": ",".join(f".{name}" for name in self.formats)}),
        )

    def details(self) -> dict[str, str]:
        return {question.key: self.cleaned_data[question.key] for question in self.questions.fields}

    def clean_upload(self):
        upload = self.cleaned_data["upload"]
        try:
            files.check(upload, formats=self.formats, max_bytes=self.max_bytes)
        except files.Refused as refusal:
            raise ValidationError(str(refusal)) from refusal
        return upload

    def clean(self):
        """A field in error is told by itself; its absence here is no change."""
        keys = {question.key for question in self.questions.fields}
        typed = {key: value for key, value in self.cleaned_data.items() if key in keys}
        if typed and typed == {key: self.values.get(key) for key in keys}:
            raise ValidationError("Ce sont déjà les coordonnées bancaires du dossier : écrivez les nouvelles.")
        return self.cleaned_data
