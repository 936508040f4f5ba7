"""What the pages of the containers read."""

from django import forms
from django.core.exceptions import ValidationError

from evidence.readers import Batch, UnreadableBatch, read_batch

SENSIBLE_LENGTH = 10
REASON_LENGTH = 1000


class BatchForm(forms.Form):
    """An archive of containers and the CSV file of their credentials, checked together."""

    archive = forms.FileField(
        label="Archive des conteneurs",
        help_text="Une archive zip de fichiers .zed, 200 Mo au plus.",
        widget=forms.FileInput(attrs={"accept": ".zip"}),
        error_messages={"required": "Choisissez l’archive zip des conteneurs.", "empty": "Cette archive est vide."},
    )
    table = forms.FileField(
        label="Fichier CSV des identifiants",
        help_text=(
            "Une ligne par conteneur : nom du fichier, nom d’utilisateur, mot de passe, domaine, objectif ; "
            "séparateur « ; » ou « , », encodage UTF-8 ou Latin-1."
        ),
        widget=forms.FileInput(attrs={"accept": ".csv"}),
        error_messages={"required": "Choisissez le fichier CSV des identifiants.", "empty": "Ce fichier est vide."},
    )

    batch: Batch | None = None

    def clean(self):
        """The faults of a batch are listed by the page, line by line; the summary says that there are some."""
        cleaned = super().clean()
        if not {"archive", "table"} <= cleaned.keys():
            return cleaned
        try:
            self.batch = read_batch(cleaned["archive"], cleaned["table"])
        except UnreadableBatch as refusal:
            raise ValidationError(str(refusal)) from refusal
        if count := len(self.batch.faults):
            faults = "une erreur" if count == 1 else f"{count} erreurs"
            raise ValidationError(
                f"Rien n’a été chargé : le lot contient {faults}, à corriger puis à charger à nouveau."
            )
        return cleaned


class ActivationForm(forms.Form):
    """« confirme avoir mémorisé »; and which container the page showed."""

    container = forms.UUIDField(widget=forms.HiddenInput)
    is_memorised = forms.BooleanField(
        label="Je confirme avoir mémorisé les identifiants du conteneur sécurisé",
        error_messages={
            "required": "Cochez cette case une fois les identifiants notés : vous ne pourrez plus les consulter."
        },
    )


class ReissueForm(forms.Form):
    container = forms.UUIDField(widget=forms.HiddenInput)
    reason = forms.CharField(
        label="Motif de la demande",
        help_text="Exemple : mot de passe égaré. Ce motif est conservé dans l’historique du dossier.",
        min_length=SENSIBLE_LENGTH,
        max_length=REASON_LENGTH,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={
            "required": "Écrivez le motif de votre demande.",
            "min_length": f"Ce motif est trop court : écrivez au moins {SENSIBLE_LENGTH} caractères.",
            "max_length": "Ce motif est trop long : %(limit_value)d caractères au plus, il en compte %(show_value)d.",
        },
    )
