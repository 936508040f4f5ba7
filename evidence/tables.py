"""The containers that were reissued, for the ANS."""

import django_tables2 as tables
from django.utils.html import format_html

from ecare.french import paris_datetime


def _column(label: str, order_by=None, **options) -> tables.Column:
    """A column whose cells may take several lines."""
    return tables.Column(label, order_by=order_by, attrs={"td": {"class": "fr-cell--multiline"}}, **options)


class ReissueTable(tables.Table):
    """Rows: containers that another one replaced, with their dossier and people."""

    reference = _column(
        "Dossier",
        ("application__reference", "pk"),
        accessor="application__reference",
        linkify=("reviews:dossier", [tables.A("application__reference")]),
    )
    establishment = _column(
        "Établissement", ("application__establishment__name", "pk"), accessor="application__establishment"
    )
    objective = _column("Objectif", ("domain__position", "objective", "pk"))
    reissue_reason = _column("Motif", orderable=False)
    reissued_by = _column("Demandé par", ("reissued_by__last_name", "pk"), default="Non enregistré")
    superseded_at = _column("Le", ("superseded_at", "pk"))

    caption = "Conteneurs remplacés"

    class Meta:
        order_by = "-superseded_at"
        attrs = {"class": "ecare-cards"}

    def __init__(self, rows, *, is_search: bool):
        super().__init__(rows, empty_text="Aucun remplacement ne correspond." if is_search else "Aucun remplacement.")

    def render_objective(self, record, value):
        return format_html('{}<br><span class="fr-text--xs">{}</span>', value, record.domain)

    def render_superseded_at(self, value):
        return paris_datetime(value)
