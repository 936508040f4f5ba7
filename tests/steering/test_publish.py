"""Which figures may be published: whatever a reader of the page works out, a small count stays 0, 1 or 2.

The reader here is a brute force that knows the rule, the totals and everything shown, and tries every table.
"""

import random
from itertools import pairwise, product

import pytest

from steering.rules import SMALLEST_SHOWN, Hidden, publish, shown

SMALL, KEPT = Hidden.SMALL, Hidden.KEPT_BACK


def totals_of(rows, left_out=0):
    return [sum(column) + left_out for column in zip(*rows, strict=True)]


def is_nested(row):
    return all(here >= after for here, after in pairwise(row))


def worlds(published, totals, *, leaves_out=False):
    """Every table that agrees with what is shown: nested counts whose columns have these totals."""

    def values(cell, total):
        if cell == SMALL:
            return range(SMALLEST_SHOWN)
        return range(total + 1) if cell == KEPT else [cell]

    def of_row(row):
        choices = [values(cell, total) for cell, total in zip(row, totals, strict=True)]
        return [one for one in product(*choices) if is_nested(one)]

    def fits(row, one):
        choices = [values(cell, total) for cell, total in zip(row, totals, strict=True)]
        return all(count in choice for count, choice in zip(one, choices, strict=True)) and is_nested(one)

    def complete(rows, left):
        if not rows:
            if leaves_out or not any(left):
                yield []
            return
        is_last = len(rows) == 1 and not leaves_out
        for one in [one for one in [tuple(left)] if fits(rows[0], one)] if is_last else of_row(rows[0]):
            rest = [a - b for a, b in zip(left, one, strict=True)]
            if min(rest) >= 0:
                yield from ([one, *others] for others in complete(rows[1:], rest))

    return complete(published, totals)


def told(rows, totals, *, leaves_out=False) -> dict:
    """What may stand in each place that holds a small count."""
    published = publish(rows, totals, leaves_out=leaves_out)
    depth = sum(total >= SMALLEST_SHOWN for total in totals)
    seen = {(i, c): set() for i, row in enumerate(rows) for c in range(depth) if row[c] < SMALLEST_SHOWN}
    wanted = set(range(SMALLEST_SHOWN))
    if not seen:
        return {}
    for world in worlds([row[:depth] for row in published], totals[:depth], leaves_out=leaves_out):
        for (i, c), values in seen.items():
            values.add(world[i][c])
        if all(wanted <= values for values in seen.values()):
            break
    return seen


def test_a_small_count_is_not_said():
    assert [shown(count) for count in (0, 1, 2, 3, 40)] == [SMALL, SMALL, SMALL, 3, 40]


def test_a_table_of_large_counts_is_published_whole():
    rows = [[40, 30], [12, 3], [5, 4]]
    assert publish(rows, totals_of(rows)) == rows


def test_one_small_count_is_not_told_by_subtraction():
    """52 in all and 50 here would say that there are 2 there."""
    rows = [[50], [2], [30]]
    assert publish(rows, totals_of(rows)) == [[50], [SMALL], [KEPT]]


def test_two_small_counts_whose_sum_says_them_are_not_told_either():
    """With 4 left for two counts of at most 2, each is 2; nothing left would make each 0."""
    assert publish([[50], [2], [2], [30]], [84]) == [[50], [SMALL], [SMALL], [KEPT]]
    assert publish([[50], [0], [0], [30]], [80]) == [[50], [SMALL], [SMALL], [KEPT]]
    assert publish([[50], [1], [1], [30]], [82]) == [[50], [SMALL], [SMALL], [30]]


def test_the_column_beside_does_not_tell_either():
    """All 10 of the second row were accepted: with it kept back, 12 left for both rows of which at most 10 are there
    would say that the 2 are 2. The first one will do."""
    rows = [[50, 40], [10, 10], [3, 2]]
    assert publish(rows, totals_of(rows)) == [[KEPT, KEPT], [10, 10], [3, SMALL]]
    assert told(rows, totals_of(rows)) == {(2, 1): {0, 1, 2}}


def test_what_is_kept_back_is_not_told_where_it_is_small_itself():
    rows = [[40, 30, 9], [9, 9, 2], [4, 1, 0]]
    assert publish(rows, totals_of(rows)) == [[KEPT] * 3, [9, 9, SMALL], [4, SMALL, SMALL]]
    assert publish([[40, 9], [4, 1], [4, 1]], [48, 11]) == [[40, 9], [4, SMALL], [4, SMALL]]
    rows = [[9, 9], [2, 2], [2, 2]]
    assert publish(rows, totals_of(rows)) == [[KEPT] * 2, [SMALL] * 2, [SMALL] * 2]


def test_under_a_small_total_everything_is_small():
    assert publish([[1, 0], [1, 1]], [2, 1]) == [[SMALL, SMALL], [SMALL, SMALL]]


def test_small_weeks_are_not_told_by_the_total_of_all():
    assert publish([[2], [2], [2]], [6]) == [[KEPT], [KEPT], [SMALL]]  # one kept back alone could not be 0
    assert publish([[2], [9]], [20], leaves_out=True) == [[SMALL], [9]]  # 9 more before the first week
    assert publish([[0], [9]], [9], leaves_out=True) == [[SMALL], [KEPT]]  # nothing is left, before nor since


@pytest.mark.parametrize("seed", range(20))
def test_no_small_count_can_be_worked_out_of_any_table(seed):
    draw = random.Random(seed)
    for _ in range(10):
        height, width = draw.randint(1, 3), draw.randint(1, 3)
        most = draw.choice([2, 3, 5])
        rows = [sorted((draw.randint(0, most) for _ in range(width)), reverse=True) for _ in range(height)]
        leaves_out = width == 1 and draw.random() < 0.3
        totals = totals_of(rows, draw.randint(0, 3) if leaves_out else 0)
        seen = told(rows, totals, leaves_out=leaves_out)
        assert all(values >= {0, 1, 2} for values in seen.values()), (rows, totals, publish(rows, totals), seen)
