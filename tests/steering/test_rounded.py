"""How counts are published: what a reader of one page, or of two, cannot work out of them."""

from itertools import pairwise, product

import pytest

from steering.rules import ROUNDED_TO, rounded

ROWS = [f"row {rank}" for rank in range(400)]


def shift_of(row: str) -> int:
    """How far from the next multiple a count of this row turns to it."""
    return next(shift for shift in range(ROUNDED_TO) if rounded([ROUNDED_TO - shift - 1], row=row) == [0])


def test_a_count_becomes_one_of_the_multiples_around_it():
    for row, count in product(ROWS[:20], range(40)):
        [shown] = rounded([count], row=row)
        assert shown % ROUNDED_TO == 0 and abs(shown - count) < ROUNDED_TO
        assert count % ROUNDED_TO or shown == count


def test_counts_are_right_on_average():
    for count in range(ROUNDED_TO * 2):
        mean = sum(rounded([count], row=row)[0] for row in ROWS) / len(ROWS)
        assert mean == pytest.approx(count, abs=0.5)


def test_where_a_row_turns_hangs_on_the_row_and_on_the_secret(settings):
    shifts = {row: shift_of(row) for row in ROWS}
    assert set(shifts.values()) == set(range(ROUNDED_TO))
    assert {row: shift_of(row) for row in ROWS} == shifts
    settings.SECRET_KEY = "another"
    assert {row: shift_of(row) for row in ROWS} != shifts


def test_the_columns_of_a_row_stay_in_their_order():
    """More accepted than sent would be read as a fault."""
    for row, counts in product(ROWS[:20], product(range(12), repeat=2)):
        sent, accepted = sorted(counts, reverse=True)
        shown = rounded([sent, accepted], row=row)
        assert all(here >= after for here, after in pairwise(shown))


@pytest.mark.parametrize("rows", [2, 3])
def test_no_small_count_is_worked_out_by_subtraction(rows):
    """Whoever reads a whole table, knows the rule and tries every table under every secret is left with more than one
    value for each count that is under 3: the total, rounded by itself, settles none."""
    worlds: dict[tuple, list[set[int]]] = {}
    shifts = range(ROUNDED_TO)
    for counts in product(range(9), repeat=rows):
        shown = [{(count + shift) // ROUNDED_TO * ROUNDED_TO for shift in shifts} for count in counts]
        totals = {(sum(counts) + shift) // ROUNDED_TO * ROUNDED_TO for shift in shifts}
        for output in product(*shown, totals):
            held = worlds.setdefault(output, [set() for _ in counts])
            for values, count in zip(held, counts, strict=True):
                values.add(count)
    for output, held in worlds.items():
        for values in held:
            assert len(values) > 1 or min(values) >= 3, (output, held)
