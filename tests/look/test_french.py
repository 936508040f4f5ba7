"""What French readers see: dates of Paris, amounts, sizes."""

from datetime import UTC, date, datetime

import pytest
from django.template import engines

from ecare import french


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (date(2026, 11, 21), "21 novembre 2026"),
        (date(2026, 12, 1), "1er décembre 2026"),
        (date(2026, 8, 11), "11 août 2026"),
        (datetime(2026, 6, 30, 22, 30, tzinfo=UTC), "1er juillet 2026"),
        (datetime(2026, 1, 31, 22, 59, tzinfo=UTC), "31 janvier 2026"),
        (None, ""),
        ("", ""),
    ],
)
def test_a_date_is_the_day_in_paris(value, written):
    assert french.paris_date(value) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (datetime(2026, 11, 21, 13, 5, tzinfo=UTC), "21 novembre 2026 à 14\u00a0h\u00a005"),
        (datetime(2026, 7, 31, 22, 0, tzinfo=UTC), "1er août 2026 à 0\u00a0h\u00a000"),
        # The hour that comes twice, and the one that never comes.
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "25 octobre 2026 à 2\u00a0h\u00a030"),
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "25 octobre 2026 à 2\u00a0h\u00a030"),
        (datetime(2026, 3, 29, 1, 0, tzinfo=UTC), "29 mars 2026 à 3\u00a0h\u00a000"),
        (None, ""),
    ],
)
def test_an_instant_is_what_a_clock_in_paris_shows(value, written):
    assert french.paris_datetime(value) == written


@pytest.mark.parametrize(
    ("cents", "written"),
    [
        (0, "0\u00a0€"),
        (5, "0,05\u00a0€"),
        (700_000, "7\u00a0000\u00a0€"),
        (700_050, "7\u00a0000,50\u00a0€"),
        (6_500_000_000, "65\u00a0000\u00a0000\u00a0€"),
        (-150, "−1,50\u00a0€"),
        (None, ""),
        ("", ""),
    ],
)
def test_an_amount_comes_from_cents(cents, written):
    assert french.euros(cents) == written


@pytest.mark.parametrize(
    ("size", "written"),
    [
        (0, "0\u00a0octet"),
        (1, "1\u00a0octet"),
        (1023, "1\u00a0023\u00a0octets"),
        (1024, "1\u00a0ko"),
        (350 * 1024, "350\u00a0ko"),
        (1024 * 1024 - 1, "1\u00a0Mo"),
        (1024 * 1024, "1\u00a0Mo"),
        (1_572_864, "1,5\u00a0Mo"),
        (10 * 1024 * 1024, "10\u00a0Mo"),
        (49 * 1024 * 1024, "49\u00a0Mo"),
        (None, ""),
    ],
)
def test_a_size_is_counted_as_the_computer_counts(size, written):
    assert french.megabytes(size) == written


def test_filters_need_no_load():
    template = engines["django"].from_string("{{ day|paris_date }} {{ cents|euros }} {{ size|megabytes }}")
    shown = template.render({"day": date(2026, 5, 1), "cents": 100, "size": 2048})
    assert shown == "1er mai 2026 1\u00a0€ 2\u00a0ko"
