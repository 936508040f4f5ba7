"""What an agent types about patient data in a file; and the list of what was reported."""

import django_tables2 as tables
from django import forms
from django.template.loader import render_to_string
from django.utils.html import format_html

from accounts.typed import so_far
from ecare.french import paris_date
from evidence.forms import REASON_LENGTH, SENSIBLE_LENGTH


class ReportForm(forms.Form):
    title, button = "Signaler des données de patients", "Signaler à l’ANS"

    reason = forms.CharField(
        label="Ce que vous avez vu",
        help_text=(
            "Dites où et de quelle nature (exemple : « page 3, liste de patients »), sans recopier aucune donnée. "
            "Ce texte est conservé dans l’historique du dossier."
        ),
        min_length=SENSIBLE_LENGTH,
        max_length=REASON_LENGTH,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={
            "required": "Écrivez ce que vous avez vu, sans recopier aucune donnée.",
            "min_length": f"Ce texte est trop court : écrivez au moins {SENSIBLE_LENGTH} caractères.",
            "max_length": "Ce texte est trop long : %(limit_value)d caractères au plus, il en compte %(show_value)d.",
        },
    )

    def clean_reason(self):
        return self.cleaned_data["reason"].replace("\r\n", "\n")

    def specimen(self) -> str:
        """What is typed so far: for the letters that the page shows beforehand."""
        return so_far(self, "reason")


class PurgeForm(ReportForm):
    title, button = "Purger ce fichier", "Purger ce fichier définitivement"

    is_sure = forms.BooleanField(
        label="Je confirme la destruction définitive de ce fichier",
        error_messages={"required": "Cochez cette case : la purge ne peut pas être annulée."},
    )


class DismissForm(ReportForm):
    title = button = "Écarter le signalement"

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        field = self.fields["reason"]
        field.label, field.help_text = "Motif", "Ce texte est envoyé à la personne qui a signalé le fichier."


def _column(label: str, order_by=None, **options) -> tables.Column:
    """A column whose cells may take several lines."""
    return tables.Column(label, order_by=order_by, attrs={"td": {"class": "fr-cell--multiline"}}, **options)


class ReportTable(tables.Table):
    """Rows: reports with their dossier, file and people."""

    reference = _column(
        "Dossier",
        ("evidence__application__reference", "pk"),
        accessor="evidence__application__reference",
        linkify=("reviews:dossier", [tables.A("evidence__application__reference")]),
    )
    file = _column("Fichier", orderable=False, accessor="evidence__file")
    reason = _column("Ce qui a été vu", orderable=False)
    at = _column("Signalé", ("at", "pk"))
    state = _column("Décision", ("state", "pk"))

    class Meta:
        order_by = "-at"
        attrs = {"class": "ecare-cards"}

    def __init__(self, rows, *, is_decided: bool, offers_decision: bool):
        super().__init__(
            rows, empty_text="Aucun signalement décidé." if is_decided else "Aucun signalement en attente."
        )
        self.caption = "Signalements décidés" if is_decided else "Signalements en attente"
        self.offers_decision = offers_decision

    def render_file(self, record, value):
        return format_html('{}<br><span class="fr-text--xs">{}</span>', value.name, record.evidence.question.label)

    def render_at(self, record):
        return f"le {paris_date(record.at)} par {record.by}"

    def render_state(self, record):
        context = {"report": record, "offers_decision": self.offers_decision}
        return render_to_string("evidence/_report_state.html", context)
