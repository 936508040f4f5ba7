"""The accountant's list as a CSV or an XLSX file. No cell can become a formula; an IBAN stays text."""

import csv
import io
from collections.abc import Iterable, Iterator

import xlsxwriter

from applications.models import Application
from ecare.clock import paris_day
from ecare.spreadsheets import harmless
from funding.readers import Account, accounts

BATCH = 500
COLUMNS = {
    "Référence": 12,
    "Domaine": 28,
    "Établissement": 36,
    "Raison sociale": 36,
    "Type": 30,
    "FINESS": 11,
    "SIREN": 11,
    "SIRET": 16,
    "Titulaire du compte": 32,
    "IBAN": 34,
    "BIC": 13,
    "Changement de compte demandé": 14,
    "Montant (€)": 14,
    "Règle": 44,
    "Décision du": 12,
    "État": 10,
    "Versé le": 12,
    "Référence du virement": 24,
}
AMOUNT, DAYS = 12, (14, 16)


def rows(dossiers) -> Iterator[list]:
    """One list of values per dossier: texts, an amount in cents, days. Read by batches, however many there are."""
    batch: list[Application] = []
    for dossier in dossiers.iterator(chunk_size=BATCH):
        batch.append(dossier)
        if len(batch) == BATCH:
            yield from _batch(batch)
            batch = []
    yield from _batch(batch)


def _batch(dossiers: list[Application]) -> Iterator[list]:
    known = accounts(dossiers)
    for dossier in dossiers:
        yield _row(dossier, known.get(dossier.pk, Account()))


def _row(dossier: Application, account: Account) -> list:
    establishment, decision, payment = dossier.establishment, dossier.decision, getattr(dossier, "payment", None)
    decided_on = paris_day(decision.validated_at) if decision.validated_at else None
    return [
        dossier.reference,
        dossier.domain.name,
        str(establishment),
        establishment.legal_entity.name,
        establishment.get_kind_display(),
        establishment.finess,
        establishment.legal_entity.siren,
        account.siret,
        account.holder,
        account.iban,
        account.bic,
        "oui" if account.is_changing else "non",
        payment.amount if payment else decision.amount,
        decision.get_rule_display(),
        decided_on,
        "Versé" if payment else "À verser",
        payment.paid_on if payment else None,
        payment.reference if payment else "",
    ]


def as_csv(lines: Iterable[list]) -> Iterator[str]:
    """Semicolons, a byte order mark, a decimal comma, days as 21/11/2026: what a French spreadsheet opens as it is."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    yield "\ufeff"
    for cells in (list(COLUMNS), *(_plain(line) for line in lines)):
        writer.writerow([harmless(cell) for cell in cells])
        yield out.getvalue()
        out.seek(0)
        out.truncate()


def _plain(line: list) -> list[str]:
    cells = ["" if value is None else value for value in line]
    cells[AMOUNT] = f"{line[AMOUNT] // 100},{line[AMOUNT] % 100:02d}"
    for rank in DAYS:
        cells[rank] = f"{line[rank]:%d/%m/%Y}" if line[rank] else ""
    return [str(cell) for cell in cells]


def as_xlsx(lines: Iterable[list]) -> io.BytesIO:
    """The workbook, in memory: no plain copy of bank details on a disk."""
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(out, options)
    sheet = book.add_worksheet("Versements")
    head = book.add_format({"bold": True, "bg_color": "#E3E3FD"})
    money, day = book.add_format({"num_format": "#,##0.00"}), book.add_format({"num_format": "dd/mm/yyyy"})
    for column, (title, width) in enumerate(COLUMNS.items()):
        sheet.set_column(column, column, width)
        sheet.write_string(0, column, title, head)
    sheet.freeze_panes(1, 1)
    count = 0
    for count, line in enumerate(lines, start=1):
        _write_row(sheet, count, line, money, day)
    sheet.autofilter(0, 0, max(1, count), len(COLUMNS) - 1)
    book.close()
    out.seek(0)
    return out


def _write_row(sheet, number: int, line: list, money, day) -> None:
    for column, value in enumerate(line):
        if column == AMOUNT:
            sheet.write_number(number, column, value / 100, money)
        elif column in DAYS:
            if value:
                sheet.write_datetime(number, column, value, day)
        else:
            sheet.write_string(number, column, value)
