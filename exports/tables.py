"""« Mes exports » as a table."""

import django_tables2 as tables
from django.template.loader import render_to_string

from ecare.french import paris_datetime
from ecare.journal.models import Entry
from exports.models import Export


def _column(label: str, **options) -> tables.Column:
    """A column whose cells may take several lines."""
    return tables.Column(label, attrs={"td": {"class": "fr-cell--multiline"}}, **options)


class ExportTable(tables.Table):
    """Rows: a person's exports. What they say of downloads is read once for the page."""

    what = _column("Export", accessor="label", orderable=False)
    created_at = _column("Demandé le", order_by=("created_at", "pk"))
    state = _column("État", orderable=False)
    downloads = _column("Téléchargements", orderable=False)
    action = _column("Action", orderable=False, empty_values=())

    caption = "Mes exports"

    class Meta:
        order_by = "-created_at"
        attrs = {"class": "ecare-cards"}
        empty_text = "Aucun export. Demandez-en un depuis la liste des dossiers ou depuis la page d’un dossier."

    def render_created_at(self, value):
        return paris_datetime(value)

    def render_what(self, record):
        return render_to_string("exports/_what.html", {"export": record})

    def render_state(self, record):
        return render_to_string("exports/_state.html", {"export": record, "badge": BADGES[Export.State(record.state)]})

    def render_downloads(self, record):
        return render_to_string("exports/_downloads.html", {"export": record, "log": self._log.get(record.subject, [])})

    def render_action(self, record):
        return render_to_string("exports/_action.html", {"export": record}, self.request)

    def before_render(self, request):
        """The log of the exports of this page, in one query."""
        self._log = downloads_of([row.record for row in self.paginated_rows])


def downloads_of(exports: list[Export]) -> dict[str, list[Entry]]:
    """By subject, who fetched it and when, oldest first."""
    found: dict[str, list[Entry]] = {}
    subjects = [export.subject for export in exports]
    entries = Entry.objects.filter(subject__in=subjects, verb="download_export").order_by("sequence")
    for entry in entries:
        found.setdefault(entry.subject, []).append(entry)
    return found


BADGES = {
    Export.State.WAITING: "info",
    Export.State.BUILDING: "info",
    Export.State.READY: "success",
    Export.State.FAILED: "error",
    Export.State.CANCELLED: "none",
    Export.State.EXPIRED: "none",
}
