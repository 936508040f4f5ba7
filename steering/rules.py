"""What counts as late, as near, as accepted; and which figures may be published without telling on anybody."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations_with_replacement

from applications.states import AWAITS_ANS, AWAITS_ARS, FROM_ACCEPTANCE, State

LATE_DAYS = (15, 30, 60)
"""A dossier is late once it has lain on a desk for more days than this; the queue filters by the same."""
NEAR_DAYS = 60
"""A last day is near when no more days than this are left."""
SOON_DAYS = 7
"""A correction is due soon when no more days than this are left."""
MOST_EXTENSIONS = 50
"""So many extensions are named, the first to end; the list of all of them has a page of its own."""
ON_A_DESK = AWAITS_ARS + AWAITS_ANS
ACCEPTED = (*FROM_ACCEPTANCE, State.PAID, State.ABANDONED)
"""States of the dossiers whose candidature was accepted, once and for all: only these can be abandoned."""
VALIDATED = (State.VALIDATED, State.PAID)


# --- what may be published ----------------------------------------------------------------------------------------
SMALLEST_SHOWN = 3
LARGEST_SMALL = SMALLEST_SHOWN - 1


class Hidden(StrEnum):
    """What stands in the place of a count: too small to be said, or kept back so that the small ones cannot be told
    by subtraction; of the latter nothing is said, not even that it is large."""

    SMALL = "small"
    KEPT_BACK = "kept back"


def shown(count: int) -> int | Hidden:
    return count if count >= SMALLEST_SHOWN else Hidden.SMALL


def publish(
    rows: Sequence[Sequence[int]], totals: Sequence[int], *, leaves_out: bool = False
) -> list[list[int | Hidden]]:
    """The rows of a table as they may be read beside their totals: a count of each column includes that of the next.

    Whole rows are kept back, as few and as small as will do, until each small count could still be 0, 1 or 2 for all
    that the table tells. `leaves_out`: the totals count something that no row shows.
    """
    depth = sum(total >= SMALLEST_SHOWN for total in totals)  # under a small total everything is small
    kept_back: set[int] = set()
    by_size = sorted(range(len(rows)), key=lambda rank: (any(map(_is_small, rows[rank][:depth])), tuple(rows[rank])))

    def is_enough(*more: int) -> bool:
        return _Table(rows, totals[:depth], kept_back | {*more}, leaves_out).tells_nothing()

    while not is_enough():
        others = [rank for rank in by_size if rank not in kept_back]
        kept_back.add(next((rank for rank in others if is_enough(rank)), others[0]))
    return [
        [Hidden.KEPT_BACK] * len(row) if rank in kept_back else [shown(count) for count in row]
        for rank, row in enumerate(rows)
    ]


@dataclass
class _Table:
    """What a reader of a table can work out, exactly. The worlds that agree with what is shown differ by the sum of the
    small counts of each column: `_agrees` walks through those sums from the first column to the last."""

    rows: Sequence[Sequence[int]]
    totals: Sequence[int]
    kept_back: set[int]
    leaves_out: bool

    def __post_init__(self):
        self.columns = range(len(self.totals))
        seen = [row for rank, row in enumerate(self.rows) if rank not in self.kept_back]
        self.rest = [self.totals[c] - sum(row[c] for row in seen if not _is_small(row[c])) for c in self.columns]
        self.small = [sum(_is_small(row[c]) for row in seen) for c in self.columns]
        self.firsts = {c for row in seen for c in [self._first(row)] if c is not None}
        """Columns from which on rows are small; rows of the same one are alike."""

    def _first(self, row: Sequence[int]) -> int | None:
        return next((c for c in self.columns if _is_small(row[c])), None)

    def tells_nothing(self) -> bool:
        """Each small count, seen as such or kept back, may be each number under the limit."""
        values = range(SMALLEST_SHOWN)
        seen = (
            self._may_hold(first, c, value) for first in self.firsts for c in self.columns[first:] for value in values
        )
        small = {c for rank in self.kept_back for c in self.columns if _is_small(self.rows[rank][c])}
        return all(seen) and all(self._may_keep_back(c, value) for c in small for value in values)

    def _may_hold(self, first: int, column: int, value: int) -> bool:
        """Whether a row that is small from column `first` on may hold this value there."""
        others = [number - (c >= first) for c, number in zip(self.columns, self.small, strict=True)]
        chains = (chain for chain in _chains(len(self.totals) - first) if chain[column - first] == value)
        return any(self._agrees([0] * first + chain, others) for chain in chains)

    def _may_keep_back(self, column: int, value: int) -> bool:
        """Whether a row that is kept back may hold this value: alone it holds all that the small counts leave."""
        most = self.rest[column] - value
        is_alone = len(self.kept_back) == 1 and not self.leaves_out
        return self._agrees([0] * len(self.totals), self.small, {column: (most if is_alone else 0, most)})

    def _agrees(self, own: list[int], others: list[int], limits: dict[int, tuple[int, int]] | None = None) -> bool:
        """Whether a world agrees in which one row holds `own`, and so many other counts are small in each column;
        `limits`: least and most of their sum in a column."""
        is_free = bool(self.kept_back) or self.leaves_out
        low, high = 0, LARGEST_SMALL * others[0]
        for c in self.columns:
            if c:
                grows = LARGEST_SMALL * (others[c] - others[c - 1])  # by the rows that become small here
                # The rows kept back hold what is left, which is no more than in the column before.
                falls = self.rest[c] - self.rest[c - 1] + own[c - 1] - own[c]
                if is_free and falls > grows:
                    return False
                low = max(0, low + falls) if is_free else 0
                high = min(LARGEST_SMALL * others[c], high + grows)
            left = self.rest[c] - own[c]
            low, high = low if is_free else max(low, left), min(high, left)
            if limits and c in limits:
                low, high = max(low, limits[c][0]), min(high, limits[c][1])
            if low > high:
                return False
        return True


def _is_small(count: int) -> bool:
    return count < SMALLEST_SHOWN


def _chains(length: int) -> Iterator[list[int]]:
    """Small counts of a row, column after column: none is more than the one before."""
    for chain in combinations_with_replacement(range(LARGEST_SMALL, -1, -1), length):
        yield list(chain)
