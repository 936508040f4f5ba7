"""What a page of the vault asks for, beside the spaces of the form."""

from django import forms


class ReplacementForm(forms.Form):
    """The file that takes the place of another; which bytes may enter, the verb tells."""

    replacement = forms.FileField(
        label="Nouveau fichier", allow_empty_file=True, error_messages={"required": "Choisissez d’abord un fichier."}
    )
