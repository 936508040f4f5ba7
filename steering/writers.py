"""Figures out, as a file that a French spreadsheet opens."""

import csv
from collections.abc import Iterator

from django.http import StreamingHttpResponse

from steering.figures import Table

BYTE_ORDER_MARK = "\ufeff"
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


class _Echo:
    """What is written comes back, line by line."""

    def write(self, text: str) -> str:
        return text


def csv_lines(table: Table) -> Iterator[str]:
    writer = csv.writer(_Echo(), delimiter=";")
    yield BYTE_ORDER_MARK
    for record in table.records():
        yield writer.writerow([_safe(cell) for cell in record])


def _safe(cell: str) -> str:
    """A spreadsheet computes nothing of a label that an administrator typed."""
    return f"'{cell}" if cell.startswith(FORMULA_SIGNS) else cell


def csv_response(table: Table, *, name: str) -> StreamingHttpResponse:
    response = StreamingHttpResponse(csv_lines(table), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response
