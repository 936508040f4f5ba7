"""What agents type beside a dossier: notes, opinions, ready-made phrases, what they think of each file."""

from dataclasses import dataclass

from django import forms
from django.core.exceptions import ValidationError

from accounts.models import User
from accounts.typed import so_far
from reviews.models import FileVerdict, Opinion, Phrase
from reviews.readers import Line, ReadFile
from reviews.remarks import Judged

NOTE_LENGTH, PHRASE_LENGTH, REMARK_LENGTH = 5000, 2000, 1000


def _text(label: str, *, length: int, required: str, rows: int = 4, help_text: str = "") -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=help_text,
        max_length=length,
        widget=forms.Textarea(attrs={"rows": rows}),
        error_messages={
            "required": required,
            "max_length": "Ce texte est trop long : %(limit_value)d caractères au plus, il en compte %(show_value)d.",
        },
    )


class NoteForm(forms.Form):
    text = _text("Nouvelle note", length=NOTE_LENGTH, required="Écrivez la note.")
    is_shared = forms.BooleanField(label="Lue aussi par l’autre service", required=False)

    def __init__(self, *args, user: User, **options):
        super().__init__(*args, **options)
        other = "l’ANS" if user.is_ars else "l’ARS de la région"
        mine = "les agents de votre ARS" if user.is_ars else "les agents de l’ANS"
        self.fields["text"].help_text = f"Lue par {mine} seulement, jamais par l’établissement."
        self.fields["is_shared"].label = f"Lue aussi par {other}"


class AskOpinionForm(forms.Form):
    of = forms.ModelChoiceField(
        label="Demander un avis à",
        queryset=User.objects.none(),
        empty_label="Choisissez un agent",
        error_messages={"required": "Choisissez l’agent à qui demander un avis."},
    )
    question = _text(
        "Votre question",
        length=NOTE_LENGTH,
        required="Écrivez votre question.",
        help_text="Un courrier électronique part à cet agent. L’établissement ne voit ni la question ni la réponse.",
    )

    def __init__(self, colleagues: list[User], *args, **options):
        super().__init__(*args, **options)
        self.colleagues = colleagues
        self.fields["of"].queryset = User.objects.filter(pk__in=[agent.pk for agent in colleagues])
        self.fields["of"].choices = [
            ("", "Choisissez un agent"),
            *((agent.pk, f"{agent} ({agent.get_role_display()}), {agent.email}") for agent in colleagues),
        ]

    def chosen(self) -> User | None:
        """Once somebody is."""
        self.is_valid()
        return self.cleaned_data.get("of") if self.is_bound else None

    def specimen(self) -> dict:
        """To the first of the list while nobody is chosen: for the letter that the page shows beforehand."""
        return {"of": self.chosen() or self.colleagues[0], "question": so_far(self, "question")}

    @property
    def letters_note(self) -> str:
        return "" if self.chosen() else "Tant qu’aucun agent n’est choisi, le courrier est montré avec un exemple."


class GiveOpinionForm(forms.Form):
    advice = forms.ChoiceField(
        label="Votre avis",
        choices=Opinion.Advice.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choisissez un avis."},
    )
    answer = forms.CharField(
        label="Pourquoi",
        required=False,
        max_length=NOTE_LENGTH,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="Un courrier électronique part à la personne qui demande cet avis.",
        error_messages={"max_length": f"Ce texte est trop long : {NOTE_LENGTH} caractères au plus."},
    )

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("advice") not in (None, Opinion.Advice.FOR) and not cleaned.get("answer", "").strip():
            self.add_error("answer", "Dites pourquoi votre avis est réservé ou défavorable.")
        return cleaned

    def specimen(self) -> dict:
        return {"advice": self._chosen() or Opinion.Advice.FOR, "answer": so_far(self, "answer")}

    @property
    def letters_note(self) -> str:
        if self._chosen():
            return ""
        example = Opinion.Advice.FOR.label.lower()
        return f"Tant que l’avis n’est pas choisi, le courrier est montré avec un avis {example}."

    def _chosen(self) -> str:
        self.is_valid()
        return self.cleaned_data.get("advice", "") if self.is_bound else ""


class PhraseForm(forms.ModelForm):
    class Meta:
        model = Phrase
        fields = ("title", "text")
        error_messages = {
            "title": {"required": "Donnez un titre à cette phrase.", "max_length": "60 caractères au plus."},
            "text": {"required": "Écrivez la phrase."},
        }

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.fields["text"].max_length = PHRASE_LENGTH
        self.fields["text"].widget.attrs["rows"] = 4

    def clean_text(self):
        text = self.cleaned_data["text"].replace("\r\n", "\n").strip()
        if len(text) > PHRASE_LENGTH:
            raise ValidationError(
                f"Ce texte est trop long : {PHRASE_LENGTH} caractères au plus, il en compte {len(text)}."
            )
        return text

    def clean_title(self):
        title = self.cleaned_data["title"]
        same = Phrase.objects.filter(owner=self.instance.owner_id, title=title).exclude(pk=self.instance.pk)
        if same.exists():
            raise ValidationError("Vous avez déjà une phrase de ce titre : choisissez-en un autre.")
        return title


@dataclass
class Piece:
    """One file of the last sending, and the fields that judge it."""

    line: Line
    file: ReadFile
    decision: forms.BoundField | None = None
    remark: forms.BoundField | None = None


class PiecesForm(forms.Form):
    """For each file of the last sending: accepted, refused with a remark, or nothing yet."""

    def __init__(self, lines: list[Line], verdicts: dict[str, FileVerdict], data=None):
        super().__init__(data)
        self.pieces = [Piece(line, file) for line in lines for file in line.files]
        for piece in self.pieces:
            self._add(piece, verdicts.get(piece.file.id))

    def _add(self, piece: Piece, verdict: FileVerdict | None) -> None:
        decision, remark = (f"{name}-{piece.file.id}" for name in ("decision", "remark"))
        self.fields[decision] = forms.ChoiceField(
            label=f"Votre examen de {piece.file.name}",
            choices=[("", "Pas encore examinée"), *FileVerdict.Decision.choices],
            required=False,
            initial=verdict.decision if verdict else "",
            widget=forms.RadioSelect,
        )
        self.fields[decision].is_inline = True
        self.fields[remark] = forms.CharField(
            label="Remarque",
            required=False,
            max_length=REMARK_LENGTH,
            initial=verdict.remark if verdict else "",
            widget=forms.Textarea(attrs={"rows": 2}),
            error_messages={"max_length": f"Cette remarque est trop longue : {REMARK_LENGTH} caractères au plus."},
        )
        piece.decision, piece.remark = self[decision], self[remark]

    def clean(self):
        cleaned = super().clean()
        for piece in self.pieces:
            refused = cleaned.get(piece.decision.name) == FileVerdict.Decision.REFUSED
            if refused and not cleaned.get(piece.remark.name, "").strip() and piece.remark.name not in self.errors:
                self.add_error(piece.remark.name, f"Dites pourquoi « {piece.file.name} » est refusée.")
        return cleaned

    def judged(self) -> list[Judged]:
        return [
            Judged(
                piece.file.id,
                self.cleaned_data[piece.decision.name],
                self.cleaned_data[piece.remark.name].replace("\r\n", "\n").strip(),
            )
            for piece in self.pieces
        ]
