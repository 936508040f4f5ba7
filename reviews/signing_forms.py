"""What the ANS types about a convention: both signatures and their copy, or why the establishment's is refused."""

from django import forms

from conventions.actions import waiting_copy
from conventions.forms import one_pdf
from conventions.rules import MAX_BYTES
from ecare.clock import paris_day
from ecare.french import megabytes, paris_date
from funding.forms import EnvelopeBox
from funding.readers import outlook
from reviews.forms import DecisionForm, MessageForm
from reviews.rules import convention_day_faults


class DayField(forms.DateField):
    def __init__(self, label: str, hint: str):
        widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
        super().__init__(label=label, help_text=hint, widget=widget, input_formats=["%Y-%m-%d", "%d/%m/%Y"])


class ConventionForm(EnvelopeBox, DecisionForm):
    """The days of both signatures, and the copy that bears them."""

    establishment_signed_on = DayField(
        "Date de signature de l’établissement", "Celle qui se lit sur l’exemplaire. Exemple : 21/11/2026."
    )
    signed_on = DayField("Date de contresignature de l’ANS", "Le jour où la dernière partie a signé.")
    keeps_copy = forms.BooleanField(required=False)
    upload = forms.FileField(
        label="Convention contresignée",
        required=False,
        help_text=f"Un seul fichier, au format pdf, {megabytes(MAX_BYTES)} au plus.",
        widget=forms.FileInput(attrs={"accept": ".pdf"}),
    )

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        for name in ("establishment_signed_on", "signed_on"):
            self.fields[name].widget.attrs["max"] = paris_day(self.at).isoformat()
        self.outlook = outlook(self.application, "sign_convention")
        self.ask_to_confirm(self.outlook.over)
        self.copy = waiting_copy(self.application)
        if self.copy is None:
            del self.fields["keeps_copy"]
            self.fields["upload"].required = True
            return
        box = self.fields["keeps_copy"]
        box.label = (
            f"L’exemplaire «\u00a0{self.copy.file.name}\u00a0», déposé le {paris_date(self.copy.at)}, porte déjà "
            "toutes les signatures : le conserver tel quel"
        )
        self.fields["upload"].help_text += " Inutile si vous conservez l’exemplaire de l’établissement."

    def clean_upload(self):
        uploads = self.files.getlist("upload")
        return one_pdf(uploads) if uploads else None

    def clean(self):
        cleaned = super().clean()
        if {"establishment_signed_on", "signed_on"} <= cleaned.keys():
            days = cleaned["establishment_signed_on"], cleaned["signed_on"]
            for name, fault in convention_day_faults(self.application, *days, self.at).items():
                self.add_error(name, fault)
        if self.copy is not None and "upload" in cleaned:
            self._check_one_copy(cleaned.get("keeps_copy"), cleaned["upload"])
        return cleaned

    def _check_one_copy(self, is_kept: bool, upload) -> None:
        if is_kept and upload:
            self.add_error(
                "upload", "Conservez l’exemplaire de l’établissement, ou joignez-en un autre : pas les deux."
            )
        elif not is_kept and not upload:
            self.add_error("upload", "Joignez la convention contresignée, ou cochez la case ci-dessus.")

    def arguments(self):
        given = super().arguments() | {"at": self.at}
        given.pop("keeps_copy", None)
        return given

    def specimen(self):
        return super().specimen() | {"signed_on": paris_day(self.at), "at": self.at}


class RefuseCopyForm(MessageForm):
    label = "Motif du refus"
    hint = (
        "Dites ce qui ne va pas et ce qui est attendu. Ce texte est envoyé au référent et conservé dans l’historique "
        "du dossier."
    )

    def arguments(self):
        return self.cleaned_data | {"at": self.at}

    def specimen(self):
        return super().specimen() | {"at": self.at}
