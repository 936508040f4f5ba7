"""What a page of the vault asks for, beside the spaces of the form."""

from django import forms


class AnnouncementForm(forms.Form):
    """What upload.js announces of a file before its parts, among the fields of the page that it stands in."""

    prefix = "_upload"

    space = forms.CharField()
    name = forms.CharField(strip=False)
    size = forms.IntegerField(min_value=0)
    first = forms.RegexField(r"\A[0-9a-f]{64}\Z")
    replaces = forms.UUIDField(required=False)


class ReplacementForm(forms.Form):
    """The file that takes the place of another; which bytes may enter, the verb tells."""

    replacement = forms.FileField(
        label="Nouveau fichier", allow_empty_file=True, error_messages={"required": "Choisissez d’abord un fichier."}
    )
