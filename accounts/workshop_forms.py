"""What an administrator types of the terms (CGU): their text, and the day from which they are in force."""

import re

from django import forms
from django.core.exceptions import ValidationError

from accounts import terms
from accounts.models import Terms
from ecare.clock import paris_day

VERSION = re.compile(r"[\w][\w.-]*")


class TermsTextForm(forms.ModelForm):
    class Meta:
        model = Terms
        fields = ("version", "text")
        widgets = {"text": forms.Textarea(attrs={"rows": 30, "cols": 100})}

    def clean_version(self):
        """It stands in an address."""
        version = self.cleaned_data["version"]
        if not VERSION.fullmatch(version):
            raise ValidationError("Écrivez une version avec des chiffres, des lettres, des points ou des tirets : 2.0.")
        return version


class PublishTermsForm(forms.Form):
    on = forms.DateField(
        label="En vigueur à partir du",
        help_text=(
            "Aujourd’hui : aussitôt. Un autre jour : dès 0 h, heure de Paris ; d’ici là, la version présente reste en "
            "vigueur. Exemple : 21/11/2026."
        ),
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "aria-describedby": "id_on_helptext"}),
        input_formats=["%Y-%m-%d", "%d/%m/%Y"],
        error_messages={"required": "Choisissez un jour.", "invalid": "Écrivez un jour, par exemple 21/11/2026."},
    )

    def __init__(self, version: Terms, data=None, *, at):
        super().__init__(data, initial={"on": paris_day(at)})
        self.version, self.at = version, at
        self.fields["on"].widget.attrs["min"] = paris_day(at).isoformat()

    def clean_on(self):
        others = list(Terms.objects.exclude(published_at=None))
        if fault := terms.fault_of(self.version, others, on=self.cleaned_data["on"], at=self.at):
            raise ValidationError(fault)
        return self.cleaned_data["on"]
