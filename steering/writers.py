"""Figures out, as a file that a French spreadsheet opens."""

import csv
from collections.abc import Iterator

from django.http import StreamingHttpResponse

from ecare.spreadsheets import harmless
from steering.figures import Table

BYTE_ORDER_MARK = "\ufeff"


class _Echo:
    """What is written comes back, line by line."""

    def write(self, text: str) -> str:
        return text


def csv_lines(table: Table) -> Iterator[str]:
    writer = csv.writer(_Echo(), delimiter=";")
    yield BYTE_ORDER_MARK
    for record in table.records():
        yield writer.writerow([harmless(cell) for cell in record])


def csv_response(table: Table, *, name: str) -> StreamingHttpResponse:
    response = StreamingHttpResponse(csv_lines(table), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response
