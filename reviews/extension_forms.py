"""What the ANS types to give an establishment more time, or to take it back; and the lists of both."""

from datetime import date, timedelta

import django_tables2 as tables
from django import forms
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html

from accounts.typed import so_far
from applications.extensions import fault_of
from ecare.clock import paris_day
from ecare.french import paris_date
from reviews.forms import WithMessage
from reviews.signing_forms import DayField


class ReasonForm(WithMessage):
    hint = "Ce texte est envoyé à l’établissement et conservé dans l’historique."

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.fields["message"].widget.attrs["rows"] = 4

    def specimen(self) -> dict:
        return {"message": so_far(self, "message")}


class GiveExtensionForm(ReasonForm):
    """Until when, and why; for whom and what for stands in the address."""

    until = DayField("Nouvelle date limite", "Ce jour compte jusqu’à 23 h 59, heure de Paris.")
    field_order = ["until", "message"]

    def __init__(self, *args, domain, establishment, dossier, step, at, last: date | None, **options):
        """`last`: the last day as it is now."""
        super().__init__(*args, **options)
        self.domain, self.establishment, self.dossier = domain, establishment, dossier
        self.step, self.at = step, at
        example = f" Exemple : {paris_day(at) + timedelta(days=30):%d/%m/%Y}."
        self.fields["until"].help_text += example
        self.first_day = max(paris_day(at), last + timedelta(days=1)) if last else paris_day(at)
        self.fields["until"].widget.attrs["min"] = self.first_day.isoformat()

    def clean_until(self):
        until = self.cleaned_data["until"]
        fault = fault_of(self.domain, self.establishment, self.dossier, step=self.step, until=until, at=self.at)
        if fault:
            raise forms.ValidationError(fault)
        return until

    def specimen(self) -> dict:
        return {"until": self._typed_day() or self.first_day, "reason": so_far(self, "message")}

    @property
    def letters_note(self) -> str:
        """Of the day in the letter that is shown."""
        if self._typed_day():
            return ""
        return (
            "Tant que la nouvelle date n’est pas saisie, le courrier est montré avec le premier jour possible, le "
            f"{paris_date(self.first_day)}."
        )

    def _typed_day(self) -> date | None:
        self.is_valid()
        return self.cleaned_data.get("until") if self.is_bound else None


class WithdrawExtensionForm(ReasonForm):
    label = "Motif du retrait"


def _column(label: str, order_by=None, **options) -> tables.Column:
    """A column whose cells may take several lines."""
    return tables.Column(label, order_by=order_by, attrs={"td": {"class": "fr-cell--multiline"}}, **options)


class ExtensionTable(tables.Table):
    """Rows: extensions with their establishment, domain and people."""

    establishment = _column("Établissement", ("establishment__name", "pk"))
    domain = _column("Domaine et étape", ("domain__position", "domain__name", "step", "pk"))
    until = _column("Prolongée jusqu’au", ("until", "pk"))
    reason = _column("Motif", orderable=False)
    at = _column("Accordée", ("at", "pk"))
    state = _column("État", ("state", "pk"))

    caption = "Prolongations"

    class Meta:
        order_by = "-at"
        attrs = {"class": "ecare-cards"}

    def __init__(self, rows, *, is_search: bool, offers_withdrawal: bool):
        super().__init__(rows, empty_text="Aucune prolongation ne correspond." if is_search else "Aucune prolongation.")
        self.offers_withdrawal = offers_withdrawal

    def render_establishment(self, value):
        return format_html('<strong>{}</strong><br><span class="fr-text--xs">FINESS {}</span>', value, value.finess)

    def render_domain(self, record):
        return format_html("{}<br>{}", record.domain, record.get_step_display())

    def render_until(self, value):
        return paris_date(value)

    def render_at(self, record):
        return f"le {paris_date(record.at)} par {record.by}"

    def render_state(self, record):
        context = {"extension": record, "offers_withdrawal": self.offers_withdrawal}
        return render_to_string("reviews/_extension_state.html", context)


class EstablishmentTable(tables.Table):
    """Rows: establishments that match a search."""

    name = tables.Column("Établissement")
    kind = tables.Column("Type")
    region = tables.Column("Région")

    caption = "Établissements trouvés"

    class Meta:
        orderable = False
        empty_text = "Aucun établissement ne correspond à votre recherche."
        attrs = {"class": "ecare-cards"}

    def render_name(self, record):
        address = reverse("reviews:extensions_of", args=[record.pk])
        return format_html('<a href="{}">{}</a><br><span class="fr-text--xs">{}</span>', address, record, record.finess)
