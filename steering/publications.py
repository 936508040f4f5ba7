"""The tables that anybody may read: counts alone, and none that would tell on an establishment."""

from dataclasses import dataclass

from applications.models import Domain
from establishments.models import Establishment, Region
from steering import charts
from steering.figures import Column, Row, Table, Unit
from steering.readers.counts import Cell
from steering.readers.snapshot import PublicSnapshot
from steering.rules import publish, shown
from steering.tables import IN_ALL, total_of, week_label

LABELS = {"sent": "Transmises", "accepted": "Acceptées", "validated": "Validées", "paid": "Versées"}
COUNTS = [Column(label) for label in LABELS.values()]


def _counts(cells: list[Cell]) -> list[int]:
    return [total_of(cells, measure) for measure in LABELS]


def of_domains(snapshot: PublicSnapshot, domains: list[Domain], addresses: list[str]) -> Table:
    """What each domain has in all."""
    rows = [
        Row((domain.name, *map(shown, _counts(snapshot.of(domain)))), href=address)
        for domain, address in zip(domains, addresses, strict=True)
    ]
    columns = [Column("Domaine", Unit.TEXT), *COUNTS]
    return Table("domaines", "Candidatures par domaine", columns, rows, empty="Aucun domaine n’est encore ouvert.")


@dataclass
class Publication:
    """Rows stand in an order that depends on no count: one sorted by size would say between which others each lies."""

    snapshot: PublicSnapshot
    domain: Domain
    regions: list[Region]

    def __post_init__(self):
        self.cells = self.snapshot.of(self.domain)
        self.totals = _counts(self.cells)

    def tables(self) -> dict[str, Table]:
        return {table.name: table for table in (self.by_region(), self.kinds(), self.weeks())}

    def by_region(self) -> Table:
        groups = {region.name: [cell for cell in self.cells if cell.region == region.pk] for region in self.regions}
        return self._table("regions", "Candidatures par région", "Région", groups)

    def kinds(self) -> Table:
        groups = {kind.label: [cell for cell in self.cells if cell.kind == kind] for kind in Establishment.Kind}
        return self._table("types", "Candidatures par type d’établissement", "Type d’établissement", groups)

    def _table(self, name: str, caption: str, label: str, groups: dict[str, list[Cell]]) -> Table:
        counts = publish([_counts(cells) for cells in groups.values()], self.totals)
        rows = [Row((group, *row)) for group, row in zip(groups, counts, strict=True)]
        rows.append(Row((IN_ALL, *map(shown, self.totals)), is_total=True))
        table = Table(name, caption, [Column(label, Unit.TEXT), *COUNTS], rows)
        if any(isinstance(row.values[1], int) for row in table.parts):
            table.charts = [charts.bars(table, f"{caption}, transmises")]
        return table

    def weeks(self) -> Table:
        """First sendings. Their sum is that of the other tables, but for what was sent before the first week shown."""
        sendings, mondays = self.snapshot.sendings.get(self.domain.pk, {}), self.snapshot.mondays
        numbers = [sendings.get(monday, 0) for monday in mondays]
        sent = self.totals[0]
        published = publish([[number] for number in numbers], [sent], leaves_out=sent > sum(numbers))
        counts = [count for [count] in published]
        rows = [Row((week_label(monday), count)) for monday, count in zip(mondays, counts, strict=True)]
        columns = [Column("Semaine", Unit.TEXT), Column("Transmises")]
        table = Table("semaines", "Candidatures transmises chaque semaine", columns, rows, folds=True)
        if any(isinstance(count, int) for count in counts):
            title = "Candidatures transmises pour la première fois, semaine par semaine"
            table.charts = [charts.curve("semaines-transmises", title, mondays, counts, top=charts.scale_of(counts))]
        else:
            table.folds = False
        return table
