"""Lists in pages: the address chooses among the lengths that the page offers, and can ask for nothing else."""

import django_tables2 as tables
import pytest
from django.test import RequestFactory

from ecare.lists import lay_out


class NumberTable(tables.Table):
    number = tables.Column()


@pytest.mark.parametrize(
    ("asked", "length"),
    [
        ({}, 25),
        ({"per_page": "10"}, 10),
        ({"per_page": "100"}, 100),
        ({"per_page": "60"}, 50),
        ({"per_page": "1000000"}, 100),
        ({"per_page": "0"}, 25),
        ({"per_page": "-5"}, 10),
        ({"per_page": "n’importe quoi"}, 25),
        ({"page": "-1"}, 5),
        ({"page": "999"}, 5),
    ],
)
def test_a_page_has_one_of_the_offered_lengths(asked, length):
    table = NumberTable([{"number": n} for n in range(130)])
    lay_out(table, RequestFactory().get("/", asked), length=25)
    assert len(table.paginated_rows) == length
