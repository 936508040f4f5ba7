"""How long dossiers stayed in each state, out of the journal: each stay that has ended counts for itself."""

from datetime import datetime
from typing import NamedTuple

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import F, Window
from django.db.models.functions import Lag

from steering.readers.counts import journal_of
from steering.readers.instants import Seconds

DAY = 24 * 60 * 60
# The places, among the stays of a state from the shortest to the longest, between which median and ninth decile lie.
PLACES = "(number + 1) / 2, (number + 2) / 2, 9 * (number - 1) / 10 + 1, 9 * (number - 1) / 10 + 2"
QUERY = """
WITH stays AS ({stays}),
ranked AS (
  SELECT from_state, seconds,
    ROW_NUMBER() OVER (PARTITION BY from_state ORDER BY seconds) AS place,
    COUNT(*) OVER (PARTITION BY from_state) AS number
  FROM stays WHERE seconds IS NOT NULL
)
SELECT from_state, number, place, seconds FROM ranked WHERE place IN ({places})
"""


class Stays(NamedTuple):
    """Those in one state that ended: how many, and how many days half and nine tenths of them took at most."""

    number: int
    median: float
    ninth_decile: float


def measure(dossiers, *, until: datetime) -> dict[str, Stays]:
    """By state. One query, whatever their number: the database ranks them, only the places that matter come out."""
    moves = journal_of(dossiers).filter(at__lte=until)
    entered = Window(Lag(Seconds("at")), partition_by=F("subject"), order_by=F("sequence").asc())
    stays = moves.order_by().annotate(seconds=Seconds("at") - entered).values("from_state", "seconds")
    connection = connections[stays.db]
    try:
        sql, parameters = stays.query.get_compiler(connection=connection).as_sql()
    except EmptyResultSet:  # no domain at all
        return {}
    places: dict[str, dict[int, float]] = {}
    numbers: dict[str, int] = {}
    with connection.cursor() as cursor:
        cursor.execute(QUERY.format(stays=sql, places=PLACES), parameters)
        for state, number, place, seconds in cursor:
            numbers[state] = number
            places.setdefault(state, {})[place] = seconds / DAY
    return {
        state: Stays(number, _percentile(places[state], number, 5), _percentile(places[state], number, 9))
        for state, number in numbers.items()
    }


def _percentile(places: dict[int, float], number: int, tenths: int) -> float:
    """Between the two nearest values, in proportion: the median of 1 and 3 is 2."""
    before, part = divmod(tenths * (number - 1), 10)
    low = places[before + 1]
    return low + (places[before + 2] - low) * part / 10 if part else low
