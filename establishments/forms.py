"""The published files that an administrator sends for an import."""

import zipfile
from fnmatch import fnmatch
from pathlib import PurePath

from django import forms

from establishments.models import ImportRequest
from establishments.readers import FILES

MOST_BYTES = 200 * 1024 * 1024
SENT = "televerse"  # in a name that is not the published one


def _file(label: str, kind: str = "", **options) -> forms.FileField:
    hint = f"Nom publié : {FILES[kind]}" if kind else options.pop("help_text")
    return forms.FileField(label=label, required=False, help_text=hint, **options)


class ImportForm(forms.ModelForm):
    """One field per published file, or all of them in one archive; what is not sent stays as it is."""

    legal_entities = _file("Entités juridiques (extrait FINESS cs1100501)", "legal_entities")
    sites = _file("Entités géographiques (extrait FINESS cs1100502)", "sites")
    ghts = _file("Liste des GHT", "ghts")
    activities = _file("Activité combinée", "activities")
    archive = _file("Ou une archive ZIP de ces fichiers", help_text="Sous leurs noms publiés, 400 Mo au plus ouverts.")

    class Meta:
        model = ImportRequest
        fields: list[str] = []

    def clean(self):
        cleaned = super().clean()
        sent = {name: upload for name, upload in cleaned.items() if upload}
        for name, upload in sent.items():
            if upload.size > MOST_BYTES:
                self.add_error(name, "Ce fichier dépasse 200 Mo : ce n’est pas celui du répertoire.")
        if not sent and not self.errors:
            self.add_error(None, "Choisissez au moins un fichier.")
        if "archive" in sent and len(sent) > 1:
            self.add_error("archive", "Envoyez une archive ou des fichiers, pas les deux.")
        elif "archive" in sent and "archive" not in self.errors:
            self._check_archive(sent["archive"])
        return cleaned

    def _check_archive(self, upload) -> None:
        try:
            with zipfile.ZipFile(upload) as archive:
                names = [PurePath(name).name for name in archive.namelist()]
        except zipfile.BadZipFile:
            self.add_error("archive", "Ce fichier n’est pas une archive ZIP, ou il est endommagé.")
            return
        if not any(fnmatch(name, pattern) for name in names for pattern in FILES.values()):
            known = ", ".join(FILES.values())
            self.add_error("archive", f"Aucun fichier de cette archive ne porte un nom publié ({known}).")
        upload.seek(0)

    @property
    def sent(self) -> list[tuple[str, object]]:
        """The name that each file is read under, and its upload."""
        uploads = {name: upload for name, upload in self.cleaned_data.items() if upload}
        return [(_name(kind, upload.name), upload) for kind, upload in uploads.items()]


def _name(kind: str, given: str) -> str:
    if kind == "archive":
        return "archive.zip"
    name = PurePath(given.replace("\\", "/")).name
    return name if fnmatch(name, FILES[kind]) else FILES[kind].replace("*", SENT)
