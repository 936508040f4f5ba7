"""What counts as late, as near, as accepted; and how figures are published without telling on anybody."""

from collections.abc import Sequence

from django.utils.crypto import salted_hmac

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
ROUNDED_TO = 5


def rounded(counts: Sequence[int], *, row: str) -> list[int]:
    """The counts of a row as anybody may read them: each becomes one of the two multiples of 5 around it, or stays if
    it is one; they are right on average. `row` names the row for good: where its counts turn to the next multiple is a
    secret of the portal, the same on each day and page, lest two readings tell by comparison what neither says."""
    digest = salted_hmac("steering.rules.rounded", row, algorithm="sha256").digest()
    shift = int.from_bytes(digest) % ROUNDED_TO
    return [(count + shift) // ROUNDED_TO * ROUNDED_TO for count in counts]
