"""The tables that anybody may read: counts alone, and none that would tell on an establishment."""

from dataclasses import dataclass

from applications.models import Domain
from establishments.models import Establishment, Region
from steering import charts
from steering.figures import Column, Row, Table, Unit
from steering.readers.counts import Cell
from steering.readers.snapshot import PublicSnapshot
from steering.rules import rounded
from steering.tables import IN_ALL, total_of, week_label

LABELS = {"sent": "Transmises", "accepted": "Acceptées", "validated": "Validées", "paid": "Versées"}
COUNTS = [Column(label, Unit.ROUNDED) for label in LABELS.values()]


def _published(cells: list[Cell], domain: Domain, part: str = "") -> list[int]:
    """Of a part of a domain, or of all of it: the same numbers on every page."""
    return rounded([total_of(cells, measure) for measure in LABELS], row=f"{domain.pk}/{part}")


def of_domains(snapshot: PublicSnapshot, domains: list[Domain], addresses: list[str]) -> Table:
    """What each domain has in all."""
    rows = [
        Row((domain.name, *_published(snapshot.of(domain), domain)), href=address)
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

    def tables(self) -> dict[str, Table]:
        return {table.name: table for table in (self.by_region(), self.kinds(), self.weeks())}

    def by_region(self) -> Table:
        groups = {region.name: [cell for cell in self.cells if cell.region == region.pk] for region in self.regions}
        return self._table("regions", "Candidatures par région", "Région", groups)

    def kinds(self) -> Table:
        groups = {kind.label: [cell for cell in self.cells if cell.kind == kind] for kind in Establishment.Kind}
        return self._table("types", "Candidatures par type d’établissement", "Type d’établissement", groups)

    def _table(self, name: str, caption: str, label: str, groups: dict[str, list[Cell]]) -> Table:
        rows = [Row((group, *_published(cells, self.domain, group))) for group, cells in groups.items()]
        rows.append(Row((IN_ALL, *_published(self.cells, self.domain)), is_total=True))
        table = Table(name, caption, [Column(label, Unit.TEXT), *COUNTS], rows)
        if any(row.values[1] for row in table.parts):
            table.charts = [charts.bars(table, f"{caption}, transmises")]
        return table

    def weeks(self) -> Table:
        """First sendings."""
        sendings, mondays = self.snapshot.sendings.get(self.domain.pk, {}), self.snapshot.mondays
        counts = [
            count
            for monday in mondays
            for count in rounded([sendings.get(monday, 0)], row=f"{self.domain.pk}/{monday.isoformat()}")
        ]
        rows = [Row((week_label(monday), count)) for monday, count in zip(mondays, counts, strict=True)]
        columns = [Column("Semaine", Unit.TEXT), Column("Transmises", Unit.ROUNDED)]
        table = Table("semaines", "Candidatures transmises chaque semaine", columns, rows, folds=True)
        if any(counts):
            title = "Candidatures transmises pour la première fois, semaine par semaine"
            top = charts.scale_of(counts)
            table.charts = [charts.curve("semaines-transmises", title, mondays, counts, top=top, is_rounded=True)]
        else:
            table.folds = False
        return table
