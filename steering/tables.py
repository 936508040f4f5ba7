"""The sections of « Pilotage »: each a table with its charts, out of one snapshot."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

from django.urls import reverse

from applications.models import Domain
from applications.states import ENDED, REVIEWER_LABELS, State, Step
from ecare.clock import paris_day
from ecare.french import NBSP, paris_date
from establishments.models import Establishment, Region
from reviews.filters import ALL, LATE
from steering import charts
from steering.figures import Column, Row, Table, Unit
from steering.filters import SteeringFilter
from steering.readers.amounts import sum_of
from steering.readers.counts import MEASURES, Cell
from steering.readers.snapshot import Snapshot
from steering.rules import LATE_DAYS, MOST_EXTENSIONS, NEAR_DAYS, ON_A_DESK, SOON_DAYS

MEASURE_LABELS = {
    "begun": "Dossiers commencés",
    "sent": "Candidatures transmises",
    "accepted": "Candidatures acceptées",
    "signed": "Conventions signées",
    "declared": "Déclarations transmises",
    "validated": "Déclarations validées",
    "paid": "Dossiers versés",
}
EVENT_LABELS = {"sent": "Transmises", "accepted": "Acceptées", "rejected": "Rejetées", "validated": "Validées"}
IN_ALL = "Ensemble"
GROUP_MEASURES = ("begun", "sent", "accepted", "validated", "paid")


def total_of(cells: Iterable[Cell], measure: str) -> int:
    return sum(getattr(cell, measure) for cell in cells)


def share(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None


@dataclass
class Pilot:
    """Makes the tables; `regions`: those that the agent sees, in order."""

    snapshot: Snapshot
    asked: SteeringFilter
    regions: list[Region]

    def __post_init__(self):
        self.cells = self.snapshot.narrowed()
        self.sums = self.snapshot.narrowed_sums()

    def tables(self) -> dict[str, Table]:
        """By name, in the order of the page."""
        makers = [
            self.key_figures,
            self.amounts,
            self.late,
            self.corrections,
            self.extensions,
            self.deadlines,
            self.states,
            self.kinds,
        ]
        if len(self.regions) > 1:
            makers.append(self.by_region)
        found = [make() for make in (*makers, self.stays, self.weeks)]
        return {table.name: table for table in found}

    # --- in all -------------------------------------------------------------------------------------------------
    def key_figures(self) -> Table:
        begun = total_of(self.cells, "begun")
        numbers = [(MEASURE_LABELS[measure], total_of(self.cells, measure)) for measure in MEASURES]
        rows = [Row((label, number, share(number, begun))) for label, number in numbers]
        columns = [Column("Étape franchie", Unit.TEXT), Column("Dossiers"), Column("Part", Unit.PERCENT)]
        return Table("chiffres-cles", "Chiffres clés", columns, rows, folds=True)

    def amounts(self) -> Table:
        rows = [
            self._amounts_of(domain.name, [one for one in self.sums if one.domain == domain.pk], domain.envelope)
            for domain in self.snapshot.scope.domains
        ]
        if len(rows) > 1:
            envelope = sum(domain.envelope for domain in self.snapshot.scope.domains)
            rows.append(self._amounts_of(IN_ALL, self.sums, envelope, is_total=True))
        labels = ["Montant demandé", "Engagé", "Validé, à verser", "Versé", "Enveloppe nationale"]
        columns = [Column("Domaine", Unit.TEXT), *(Column(label, Unit.EUROS) for label in labels)]
        return Table("montants", "Montants par domaine", [*columns, Column("Part de l’enveloppe", Unit.PERCENT)], rows)

    @staticmethod
    def _amounts_of(label: str, sums: list, envelope: int, *, is_total: bool = False) -> Row:
        parts = [sum(getattr(one, name) for one in sums) for name in ("committed", "validated", "paid")]
        requested = sum_of(one.requested for one in sums)
        values = (label, requested, *parts, envelope or None, share(sum(parts), envelope))
        return Row(values, is_total=is_total)

    # --- what waits ---------------------------------------------------------------------------------------------
    def late(self) -> Table:
        """Per desk; the queue shows the longest waiting first."""
        rows = []
        for state in ON_A_DESK:
            cells = [cell for cell in self.cells if cell.state == state]
            late = [sum(cell.late[rank] for cell in cells) for rank in range(len(LATE_DAYS))]
            longer = [
                self._queue(state, attente=str(days)) if n else "" for days, n in zip(LATE_DAYS, late, strict=True)
            ]
            values = (REVIEWER_LABELS[state], total_of(cells, "begun"), *late)
            rows.append(Row(values, href=self._queue(state), hrefs=("", *longer)))
        columns = [Column("Bureau", Unit.TEXT), Column("Dossiers présents")]
        columns += [Column(f"Depuis plus de {days}{NBSP}jours") for days in LATE_DAYS]
        return Table("retards", "Dossiers en attente sur un bureau", columns, rows)

    def _queue(self, state: str, **more: str) -> str:
        chosen = {name: value for name, value in self.asked.chosen.items() if name != "periode"}
        return f"{reverse('reviews:queue')}?{urlencode(chosen | {'etat': str(state)} | more)}"

    def corrections(self) -> Table:
        """Asked for and not sent again yet: nothing closes on their day, an agent decides."""
        rows = []
        domains = {domain.pk: domain for domain in self.snapshot.scope.domains}
        for one in sorted(self.snapshot.awaited, key=lambda one: (list(domains).index(one.domain), one.step)):
            domain, step = domains[one.domain], Step(one.step)
            of_it = {"domaine": domain.slug, "etape": str(step)}
            every = self._queue(ALL, echeance="attendues", **of_it)
            late = self._queue(ALL, echeance=LATE, **of_it) if one.overdue else ""
            values = (domain.name, step.label, one.open, one.soon, one.overdue)
            rows.append(Row(values, hrefs=("", every, "", late)))
        columns = [Column("Domaine", Unit.TEXT), Column("Formulaire", Unit.TEXT), Column("Corrections attendues")]
        columns += [Column(f"Échéance dans {SOON_DAYS}{NBSP}jours au plus"), Column("Échéance dépassée")]
        return Table("corrections", "Corrections attendues", columns, rows, empty="Aucune correction n’est attendue.")

    def extensions(self) -> Table:
        """Those that were not used yet, and what remains of them."""
        today = paris_day(self.snapshot.at)
        names = {domain.pk: domain.name for domain in self.snapshot.scope.domains}
        rows = []
        for one in self.snapshot.ending[:MOST_EXTENSIONS]:
            left = _days_left((one.until - today).days)
            state = REVIEWER_LABELS[State(one.state)] if one.state else "Pas de dossier"
            address = f"{reverse('reviews:extensions')}?q={one.finess}"
            if one.reference:
                address = reverse("reviews:dossier", args=[one.reference])
            values = (one.name, names[one.domain], Step(one.step).label, paris_date(one.until), left, state)
            rows.append(Row(values, href=address))
        labels = ["Établissement", "Domaine", "Formulaire", "Prolongé jusqu’au", "Reste", "Dossier"]
        columns = [Column(label, Unit.TEXT) for label in labels]
        note = ""
        if len(self.snapshot.ending) > MOST_EXTENSIONS:
            note = f"Les {MOST_EXTENSIONS} premières à finir sont montrées."
        empty = (
            f"Aucune prolongation ne finit dans les {NEAR_DAYS} jours, ni n’a fini depuis {NEAR_DAYS} jours sans envoi."
        )
        return Table("prolongations", "Prolongations qui finissent", columns, rows, note=note, empty=empty)

    def deadlines(self) -> Table:
        today = paris_day(self.snapshot.at)
        found: list[tuple[date, Row]] = []
        for domain in self.snapshot.scope.domains:
            for step, state, last in (
                (Step.CANDIDATURE, State.DRAFT, domain.last_first_submission),
                (Step.DECLARATION, State.DECLARATION_OPEN, domain.declaration_until),
            ):
                drafts = total_of(self._of(domain, state), "begun")
                if last is None:
                    continue
                left = (last - today).days
                if 0 <= left <= NEAR_DAYS or drafts:
                    values = (domain.name, step.label, paris_date(last), _days_left(left), drafts)
                    found.append((last, Row(values)))
        labels = ["Domaine", "Formulaire", "Dernier jour", "Reste"]
        columns = [*(Column(label, Unit.TEXT) for label in labels), Column("Brouillons jamais transmis")]
        rows = [row for _, row in sorted(found, key=lambda pair: pair[0])]
        empty = f"Aucun dernier jour dans les {NEAR_DAYS} prochains jours."
        return Table("echeances", "Échéances et brouillons", columns, rows, empty=empty)

    def _of(self, domain: Domain, state: State) -> list[Cell]:
        return [cell for cell in self.cells if cell.domain == domain.pk and cell.state == state]

    # --- where dossiers stand -----------------------------------------------------------------------------------
    def states(self) -> Table:
        counts = Counter(dict.fromkeys(REVIEWER_LABELS, 0))
        for cell in self.cells:
            counts[cell.state] += cell.begun
        whole = counts.total()
        rows = [Row((label, counts[state], share(counts[state], whole))) for state, label in REVIEWER_LABELS.items()]
        rows.append(Row((IN_ALL, whole, share(whole, whole)), is_total=True))
        columns = [Column("État", Unit.TEXT), Column("Dossiers"), Column("Part", Unit.PERCENT)]
        table = Table("etats", "Dossiers par état", columns, rows, folds=True)
        table.charts = [charts.bars(table, "Nombre de dossiers dans chaque état")]
        return table

    def by_region(self) -> Table:
        """Of every region that the agent sees, whatever region is chosen: a region is compared with the others."""
        scope = self.snapshot.scope
        cells = [cell for cell in self.snapshot.cells if scope.holds(cell, whatever_region=True)]
        sums = [one for one in self.snapshot.sums if scope.holds(one, whatever_region=True)]
        found = [
            self._group(
                region.name,
                [cell for cell in cells if cell.region == region.pk],
                [one for one in sums if one.region == region.pk],
                href=self.asked.query(region=region.pk) + "#regions",
                is_current=scope.region == region.pk,
            )
            for region in self.regions
        ]
        pairs = sorted(zip(found, self.regions, strict=True), key=lambda pair: -pair[0].values[1])
        rows = [row for row, _ in pairs]
        rows.append(self._group(IN_ALL, cells, sums, is_total=True))
        table = Table("regions", "Dossiers par région", _group_columns("Région"), rows, folds=True)
        codes = [region.pk for _, region in pairs]
        title = "Dossiers commencés par région"
        table.charts = [charts.tile_map(table, codes, f"{title}, sur une carte"), charts.bars(table, title)]
        return table

    def kinds(self) -> Table:
        rows = [
            self._group(
                kind.label,
                [cell for cell in self.cells if cell.kind == kind],
                [one for one in self.sums if one.kind == kind],
                href=self.asked.query(type=str(kind)) + "#types",
                is_current=self.snapshot.scope.kind == kind,
            )
            for kind in Establishment.Kind
        ]
        rows.append(self._group(IN_ALL, self.cells, self.sums, is_total=True))
        table = Table("types", "Dossiers par type d’établissement", _group_columns("Type d’établissement"), rows)
        table.charts = [charts.bars(table, "Dossiers commencés par type d’établissement")]
        return table

    @staticmethod
    def _group(label: str, cells: list[Cell], sums: list, **options) -> Row:
        numbers = [total_of(cells, measure) for measure in GROUP_MEASURES]
        money = sum_of(one.requested for one in sums), sum(one.taken for one in sums)
        return Row((label, *numbers, *money), **options)

    # --- how long, and when -------------------------------------------------------------------------------------
    def stays(self) -> Table:
        """The states that somebody leaves, and those where somebody waits; of an ended dossier nobody waits."""
        rows = []
        for state, label in REVIEWER_LABELS.items():
            stays = self.snapshot.stays.get(state)
            cells = [cell for cell in self.cells if cell.state == state and state not in ENDED]
            if stays or cells:
                oldest = min((cell.waiting_since for cell in cells), default=None)
                waits = max(self.snapshot.at - oldest, timedelta()) / timedelta(days=1) if oldest else None
                ended = (stays.number, stays.median, stays.ninth_decile) if stays else (0, None, None)
                rows.append(Row((label, *ended, total_of(cells, "begun"), waits)))
        days = [Column("Durée médiane (jours)", Unit.DAYS), Column("Neuf sur dix en moins de (jours)", Unit.DAYS)]
        columns = [Column("État", Unit.TEXT), Column("Passages terminés"), *days]
        columns += [Column("Dossiers présents"), Column("Attente la plus longue (jours)", Unit.DAYS)]
        table = Table("durees", "Durée de chaque état", columns, rows, empty="Aucun dossier.")
        table.charts = [
            charts.bars(
                table,
                "Durée médiane de chaque état, en jours",
                column=2,
                mark=3,
                unit=f"{NBSP}j",
                description=f"Médiane, puis durée que neuf passages sur dix ne dépassent pas{NBSP}: ",
            )
        ]
        return table

    def weeks(self) -> Table:
        snapshot = self.snapshot
        rows = [
            Row((week_label(monday), *(snapshot.weeks[event][monday] for event in EVENT_LABELS)))
            for monday in snapshot.mondays
        ]
        columns = [Column("Semaine", Unit.TEXT), *(Column(label) for label in EVENT_LABELS.values())]
        table = Table("semaines", "Semaine par semaine", columns, rows, folds=True)
        top = charts.scale_of(number for row in rows for number in row.values[1:])
        table.charts = [
            charts.curve(f"semaines-{event}", label, snapshot.mondays, [row.values[rank] for row in rows], top=top)
            for rank, (event, label) in enumerate(EVENT_LABELS.items(), start=1)
        ]
        return table


def _group_columns(label: str) -> list[Column]:
    counts = [Column(name) for name in ("Commencés", "Transmis", "Acceptés", "Validés", "Versés")]
    money = [Column(name, Unit.EUROS) for name in ("Montant demandé", "Engagé, validé ou versé")]
    return [Column(label, Unit.TEXT), *counts, *money]


def _days_left(left: int) -> str:
    if left < 0:
        return "dépassé"
    return "dernier jour" if left == 0 else f"{left}{NBSP}jour{'s' if left > 1 else ''}"


def week_label(monday: date) -> str:
    """« 2026, semaine 47, dès le 16 novembre 2026 »: the ISO year of a week is that of its Thursday."""
    year, week, _ = monday.isocalendar()
    return f"{year}, semaine {week}, dès le {paris_date(monday)}"
