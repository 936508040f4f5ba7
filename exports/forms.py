"""What the buttons that ask for an export post."""

from django import forms

from applications.models import Domain
from exports.models import Export


class ViewForm(forms.Form):
    """« Exporter cette vue »: a format, and the address of the view."""

    kind = forms.ChoiceField(
        choices=[(kind.value, kind.label) for kind in (Export.Kind.QUEUE_CSV, Export.Kind.QUEUE_XLSX)]
    )
    query = forms.CharField(required=False, max_length=2000, strip=False)


class ArchiveForm(forms.Form):
    """« Archive du domaine »."""

    archived = forms.ModelChoiceField(
        queryset=Domain.objects.all(),
        to_field_name="slug",
        label="Domaine",
        empty_label="Sélectionnez un domaine",
        error_messages={
            "required": "Choisissez le domaine à archiver.",
            "invalid_choice": "Ce domaine n’existe pas : choisissez-en un dans la liste.",
        },
    )
