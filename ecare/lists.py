"""Lists in pages, as `components/table.html` shows them; `offers_length` of a table: even when it fits one page.

A list that may grow without end is turned by key (`turn_by_key`): the next page begins after the last row that was
read, whatever moved meanwhile, and page 200 costs what page 1 costs.
"""

from dataclasses import dataclass
from datetime import date

from django.core import signing
from django.core.paginator import Paginator
from django.db.models import Field, Q, QuerySet
from django_tables2 import RequestConfig, Table
from django_tables2.rows import BoundRows

LENGTHS = (10, 25, 50, 100)


class ListPaginator(Paginator):
    """Pages of one of the offered lengths, whatever the address asks for."""

    lengths = LENGTHS

    def __init__(self, rows, per_page, **options):
        super().__init__(rows, max((n for n in self.lengths if n <= per_page), default=self.lengths[0]), **options)


LONGEST_SEARCH = 100


def searched(request) -> str:
    """The words that the address asks for (`q`), plain."""
    return " ".join(request.GET.get("q", "").replace("\0", "").split())[:LONGEST_SEARCH]


def lay_out(table: Table, request, *, length: int) -> Table:
    """Sort the rows and turn to the page that the address asks for; `length`: rows of a page unless it says."""
    return RequestConfig(request, paginate={"per_page": length, "paginator_class": ListPaginator}).configure(table)


# --- by key -------------------------------------------------------------------------------------------------------
AFTER, BEFORE = "apres", "avant"
"""Names, in the address, of the row that a page begins after, or ends before."""


@dataclass(frozen=True)
class KeyPage:
    """One page of a list turned by key. `after`, `before`: what the links to the next and the previous page carry."""

    object_list: BoundRows
    after: str
    before: str


@dataclass(frozen=True)
class KeyPages:
    """What the template asks of a paginator. `count`: of all rows."""

    count: int
    per_page: int
    lengths: tuple[int, ...] = LENGTHS


def turn_by_key(table: Table, request, *, length: int, count: int) -> Table:
    """Sort the rows and read the page that the address asks for. Each order of the table ends with a unique column."""
    RequestConfig(request, paginate=False).configure(table)
    asked = request.GET.get(table.prefixed_per_page_field, "")
    per_page = int(asked) if asked in map(str, LENGTHS) else length
    order = _Order(table.data.data)
    rows, after, before = order.page(request.GET.get(AFTER, ""), request.GET.get(BEFORE, ""), per_page)
    table.paginator = KeyPages(count, per_page)
    table.page = KeyPage(BoundRows(rows, table), after, before)
    return table


class _Order:
    """The columns that a queryset is sorted by, and the place of a row among them."""

    def __init__(self, rows: QuerySet):
        self.rows = rows
        self.columns = [(name.lstrip("-"), name.startswith("-")) for name in rows.query.order_by]

    def page(self, after: str, before: str, length: int) -> tuple[list, str, str]:
        """The rows, and the marks of the next and of the previous page, empty where there is none."""
        if place := self._place(before):
            found = list(self.rows.reverse().filter(self._beyond(place, is_back=True))[: length + 1])
            rows, has_more = found[:length][::-1], len(found) > length
            return rows, self._mark(rows[-1:]), self._mark(rows[:1]) if has_more else ""
        place = self._place(after)
        found = list(self.rows.filter(self._beyond(place))[: length + 1] if place else self.rows[: length + 1])
        rows = found[:length]
        next_mark = self._mark(rows[-1:]) if len(found) > length else ""
        return rows, next_mark, self._mark(rows[:1]) if place else ""

    def _beyond(self, place: list, *, is_back: bool = False) -> Q:
        """The rows that come after the place (or before it): a range of the first column, then ties by the next."""
        condition = Q()
        for (name, is_descending), value in reversed(list(zip(self.columns, place, strict=True))):
            sign = "lt" if is_descending != is_back else "gt"
            further = Q(**{f"{name}__{sign}": value})
            tied = Q(**{name: value}) & condition if condition else Q()
            condition = Q(**{f"{name}__{sign}e": value}) & (further | tied) if tied else further
        return condition

    def _mark(self, rows: list) -> str:
        if not rows:
            return ""
        return self._signer.sign_object([_spelled(self._value(rows[0], name)) for name, _ in self.columns])

    def _place(self, mark: str) -> list:
        """The values that a mark carries; a mark of another order, or an invented one, is no place."""
        try:
            values = self._signer.unsign_object(mark)
        except signing.BadSignature:
            return []
        return [self._field(name).to_python(value) for (name, _), value in zip(self.columns, values, strict=True)]

    @property
    def _signer(self) -> signing.Signer:
        """Of this list in this order: only values that a row had are ever put into a query."""
        return signing.Signer(salt=f"ecare.lists {self.rows.model._meta.label} {self.columns}")

    def _field(self, name: str) -> Field:
        if name in self.rows.query.annotations:
            return self.rows.query.annotations[name].output_field
        model, field = self.rows.model, self.rows.model._meta.pk
        for part in name.split("__"):
            field = model._meta.pk if part == "pk" else model._meta.get_field(part)
            model = field.related_model or model
        return field

    def _value(self, row, name: str):
        for part in name.split("__"):
            row = getattr(row, part)
        return row


def _spelled(value) -> str:
    """To the microsecond, as `to_python` of its field reads it."""
    return value.isoformat() if isinstance(value, date) else str(value)
