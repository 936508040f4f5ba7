"""Lists in pages, as `components/table.html` shows them; `offers_length` of a table: even when it fits one page."""

from django.core.paginator import Paginator
from django_tables2 import RequestConfig, Table


class ListPaginator(Paginator):
    """Pages of one of the offered lengths, whatever the address asks for."""

    lengths = (10, 25, 50, 100)

    def __init__(self, rows, per_page, **options):
        super().__init__(rows, max((n for n in self.lengths if n <= per_page), default=self.lengths[0]), **options)


LONGEST_SEARCH = 100


def searched(request) -> str:
    """The words that the address asks for (`q`), plain."""
    return " ".join(request.GET.get("q", "").replace("\0", "").split())[:LONGEST_SEARCH]


def lay_out(table: Table, request, *, length: int) -> Table:
    """Sort the rows and turn to the page that the address asks for; `length`: rows of a page unless it says."""
    return RequestConfig(request, paginate={"per_page": length, "paginator_class": ListPaginator}).configure(table)
