"""From an export that waits to its sealed bytes: everything is streamed, nothing unsealed touches a disk.

What whoever asked may see is asked now, not when they clicked; and again when they fetch the file.
"""

import logging
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from applications.actions import NotNow
from applications.models import Application
from ecare import tracing
from ecare.clock import PARIS
from evidence.vault import Spool
from exports import actions, rules, talk
from exports.bundles import Bundle, Hashed
from exports.columns import Column, columns
from exports.models import Export
from exports.readers import Forms, chunks, numbers_of, ordered, view
from exports.sheets import CsvSheet, Workbook, told
from exports.writers import dossier_pdf

logger = logging.getLogger(__name__)
Kind = Export.Kind


@dataclass
class Job:
    """An export in hand: for whom, since when, into what; and what is found on the way."""

    export: Export
    by: User
    at: datetime
    out: Hashed
    regions: set[str] = field(default_factory=set)
    remark: str = ""
    done: int = 0
    total: int = 0

    def begin(self, total: int) -> None:
        self.total = total
        self.advance(0)

    def advance(self, count: int = 1) -> None:
        """A sign of life. Raises Lost."""
        self.done += count
        actions.carry_on(self.export, done=self.done, total=self.total)

    @property
    def day(self) -> str:
        return self.at.astimezone(PARIS).strftime("%Y-%m-%d-%Hh%M")


def build(at: datetime | None = None) -> bool:
    """Claim one export and bring it to its end. False when none waits."""
    export = actions.claim(at or timezone.now())
    if export is None:
        return False
    try:
        with tracing.work("export", export.number, request_id=export.request_id), _end_of(export):
            _build(export)
    except actions.Lost:
        logger.warning("export %s is no longer ours", export.number)
    return True


@contextmanager
def _end_of(export: Export) -> Iterator[None]:
    """Whatever happens to it, it does not stay in hand."""
    try:
        yield
    except actions.Lost:
        raise
    except NotNow as refusal:
        actions.fail(export, str(refusal))
    except Exception:
        logger.exception("export %s could not be built", export.number)
        actions.give_back(export)


def _build(export: Export) -> None:
    by = User.objects.get(pk=export.asked_by_id)
    if not rules.may_export(by):
        raise NotNow(rules.NO_LONGER_AGENT)
    with Spool() as spool:
        job = Job(export, by, timezone.now(), Hashed(spool))
        name = _MAKERS[Kind(export.kind)](job)
        spool.finish()
        actions.finish(
            export,
            spool,
            name=name,
            size=job.out.size,
            sha256=job.out.sha256,
            by=by,
            regions=sorted(job.regions),
            remark=job.remark,
        )


# --- lists ----------------------------------------------------------------------------------------------------------
def _queue(job: Job) -> str:
    found = view(job.export.what, job.by)
    numbers, forms = numbers_of(ordered(found)), Forms(found.qs)
    job.begin(len(numbers))
    ending = "csv" if job.export.kind == Kind.QUEUE_CSV else "xlsx"
    _SHEETS[ending](job, job.out, numbers, forms)
    return f"eCaRE-dossiers-{job.day}.{ending}"


def _csv(job: Job, out: Hashed, numbers: array, forms: Forms) -> None:
    asked = columns(forms, job.by)
    sheet = CsvSheet(out, [column.heading for column in asked])
    _fill(job, sheet.add, asked, numbers, forms)


def _xlsx(job: Job, out: Hashed, numbers: array, forms: Forms) -> None:
    asked = columns(forms, job.by)
    about = told(job.export.label, str(job.by), job.at, len(numbers))
    book = Workbook(out, [column.heading for column in asked], about=about)
    _fill(job, book.add, asked, numbers, forms)
    book.finish()


def _fill(job: Job, add: Callable, asked: list[Column], numbers: array, forms: Forms) -> None:
    for chunk in chunks(numbers, job.by, forms):
        for record in chunk.records:
            add([column.read(record, chunk) for column in asked])
            job.regions.add(record.application.establishment.region_id)
        job.advance(chunk.size)


_SHEETS: dict[str, Callable] = {"csv": _csv, "xlsx": _xlsx}


# --- one dossier ----------------------------------------------------------------------------------------------------
def _readable(dossiers: QuerySet) -> QuerySet:
    return dossiers.select_related(
        "domain",
        "referent",
        "establishment__region",
        "establishment__legal_entity__department",
        "establishment__ght",
    )


def _dossier(job: Job) -> Application:
    """Raises NotNow when this person no longer sees it."""
    found = _readable(Application.objects.visible_to(job.by)).filter(reference=job.export.what).first()
    if found is None:
        raise NotNow(rules.NO_LONGER_SEEN)
    job.regions.add(found.establishment.region_id)
    return found


def _pdf(job: Job) -> str:
    application = _dossier(job)
    job.begin(1)
    job.out.write(dossier_pdf(application, job.by, at=job.at))
    job.advance()
    return f"eCaRE-{application.reference}.pdf"


def _pieces(job: Job) -> str:
    application = _dossier(job)
    bundle = Bundle(job.out, at=job.at)
    job.begin(1)
    bundle.add_pieces(application, job.by, each=lambda: job.advance(0))
    bundle.finish(title=f"Pièces du dossier {application.reference}", asked_by=str(job.by), at=job.at)
    job.remark = _remark(bundle)
    job.advance()
    return f"eCaRE-{application.reference}-pieces.zip"


def _remark(bundle: Bundle) -> str:
    said = []
    if bundle.withheld:
        said.append(f"Pièces non fournies : {bundle.withheld}. INDEX.csv dit pourquoi.")
    if bundle.altered:
        said.append(f"Fichiers altérés : {bundle.altered}. Écrivez à l’équipe support.")
    return " ".join(said)


# --- a whole domain -------------------------------------------------------------------------------------------------
def _archive(job: Job) -> str:
    """The list of its dossiers, twice, what agents wrote beside them, then a folder for each."""
    if not rules.may_archive(job.by):
        raise NotNow(rules.NO_LONGER_THEIRS)
    dossiers = Application.objects.visible_to(job.by).filter(domain__slug=job.export.what).order_by("reference")
    numbers, forms = numbers_of(dossiers), Forms(dossiers)
    job.begin(3 * len(numbers))
    bundle = Bundle(job.out, at=job.at)
    for ending, write in _SHEETS.items():
        with bundle.entry(f"dossiers.{ending}", is_packed=ending == "xlsx") as out:
            write(job, out, numbers, forms)
    with bundle.entry(talk.FILE) as out:
        sheet = CsvSheet(out, talk.HEADINGS)
        for line in talk.lines(numbers, job.by):
            sheet.add(line)
    for number in numbers:
        application = _readable(Application.objects.visible_to(job.by)).filter(pk=number).first()
        if application is not None:
            _add_dossier(job, bundle, application)
        job.advance()
    bundle.finish(title=f"Archive : {job.export.label}", asked_by=str(job.by), at=job.at)
    job.remark = _remark(bundle)
    return f"eCaRE-archive-{job.export.what}-{job.day}.zip"


def _add_dossier(job: Job, bundle: Bundle, application: Application) -> None:
    folder = f"dossiers/{application.reference}/"
    content = dossier_pdf(application, job.by, at=job.at)
    bundle.add(f"{folder}{application.reference}.pdf", content, is_packed=True)
    bundle.add_pieces(application, job.by, folder=folder, each=lambda: job.advance(0))


_MAKERS: dict[Kind, Callable[[Job], str]] = {
    Kind.QUEUE_CSV: _queue,
    Kind.QUEUE_XLSX: _queue,
    Kind.DOSSIER_PDF: _pdf,
    Kind.DOSSIER_ZIP: _pieces,
    Kind.DOMAIN_ARCHIVE: _archive,
}
