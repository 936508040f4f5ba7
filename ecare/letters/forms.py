"""What an administrator writes in the place of a letter's file."""

from django import forms
from django.core.exceptions import ValidationError

from ecare.letters import texts, words


class TextForm(forms.Form):
    title = forms.CharField(
        label="Objet", max_length=texts.LONGEST_TITLE, widget=forms.TextInput(attrs={"class": "ecare-wording__title"})
    )
    body = forms.CharField(
        label="Texte",
        max_length=texts.LONGEST_BODY,
        widget=forms.Textarea(attrs={"rows": 24, "class": "ecare-wording__body"}),
        help_text="Une ligne vide sépare deux paragraphes. « - » en début de ligne : une puce. "
        "[Libellé]({{ adresse de la page }}) seul sur sa ligne : un bouton.",
    )
    shown = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, name: str, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.name = name

    def clean(self):
        cleaned = super().clean()
        if not self.errors:
            try:
                texts.source_from(self.name, cleaned["title"], cleaned["body"].replace("\r\n", "\n"))
            except words.Fault as fault:
                raise ValidationError(str(fault)) from None
        return cleaned
