"""What a référent sends: one signed copy."""

from django import forms
from django.core.exceptions import ValidationError

from conventions.rules import FORMATS, MAX_BYTES
from ecare.french import megabytes
from evidence import files


def one_pdf(uploads: list):
    """The only file that came, checked. Raises ValidationError."""
    if len(uploads) > 1:
        raise ValidationError("Choisissez un seul fichier.")
    [upload] = uploads
    try:
        files.check(upload, formats=FORMATS, max_bytes=MAX_BYTES)
    except files.Refused as refusal:
        raise ValidationError(str(refusal)) from refusal
    return upload


class CopyForm(forms.Form):
    upload = forms.FileField(
        label="Convention signée par votre établissement",
        help_text=f"Un seul fichier, au format pdf, {megabytes(MAX_BYTES)} au plus.",
        widget=forms.FileInput(attrs={"accept": ".pdf"}),
    )

    def clean_upload(self):
        return one_pdf(self.files.getlist("upload"))
