"""Where the marks of a chart stand: plain SVG that the page draws without script. Every number goes to the template as
text, since a template would write a decimal with the comma of French."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from ecare.french import NBSP, paris_date, thousands
from steering.figures import Table


def _percent(value: float) -> str:
    return f"{value:.2f}%"


# --- bars ---------------------------------------------------------------------------------------------------------
BAR_HEIGHT = 44


@dataclass(frozen=True)
class Bar:
    """`mark`: where a second measure of the same row stands."""

    label: str
    text: str
    width: str
    top: int
    mark: str = ""

    @property
    def baseline(self) -> int:
        return self.top + 16

    @property
    def bar_top(self) -> int:
        return self.top + 22


@dataclass(frozen=True)
class Bars:
    name: str
    title: str
    description: str
    bars: list[Bar]
    template = "steering/_bars.html"

    @property
    def height(self) -> int:
        return len(self.bars) * BAR_HEIGHT


def bars(
    table: Table, title: str, *, column: int = 1, mark: int | None = None, unit: str = "", description: str = ""
) -> Bars:
    """One bar for each row of the table, in its order."""
    drawn = [
        (row.values[0], row.values[column], row.values[mark] if mark is not None else None)
        for row in table.parts
        if row.values[column] is not None
    ]
    longest = max((value for _, *both in drawn for value in both if isinstance(value, int | float)), default=0)

    def length(value) -> str:
        return _percent(100 * value / longest) if longest and isinstance(value, int | float) else "0"

    say, say_mark = table.columns[column].say, table.columns[mark].say if mark is not None else None

    def words(value, second) -> str:
        return f"{say(value)}{unit} / {say_mark(second)}{unit}" if say_mark else f"{say(value)}{unit}"

    found = [
        Bar(
            label=label,
            text=words(value, second),
            width=length(value),
            top=rank * BAR_HEIGHT,
            mark=length(second) if say_mark else "",
        )
        for rank, (label, value, second) in enumerate(drawn)
    ]
    told = ", ".join(f"{bar.label}{NBSP}: {bar.text}" for bar in found)
    return Bars(f"{table.name}-{column}", title, f"{description}{told}.", found)


# --- the map ------------------------------------------------------------------------------------------------------
TILE, PITCH = 56, 60
# Each region by its INSEE code: three letters, column and row; those overseas stand at the right.
PLACES = {
    "32": ("HDF", 2, 0),
    "53": ("BRE", 0, 1),
    "28": ("NOR", 1, 1),
    "11": ("IDF", 2, 1),
    "44": ("GES", 3, 1),
    "52": ("PDL", 1, 2),
    "24": ("CVL", 2, 2),
    "27": ("BFC", 3, 2),
    "75": ("NAQ", 1, 3),
    "84": ("ARA", 2, 3),
    "76": ("OCC", 1, 4),
    "93": ("PAC", 2, 4),
    "94": ("COR", 3, 4),
    "01": ("GLP", 5, 0),
    "02": ("MTQ", 5, 1),
    "03": ("GUF", 5, 2),
    "04": ("REU", 5, 3),
    "06": ("MYT", 5, 4),
}


@dataclass(frozen=True)
class Tile:
    letters: str
    name: str
    text: str
    column: int
    row: int
    level: int
    href: str
    is_current: bool

    @property
    def left(self) -> int:
        return self.column * PITCH + 2

    @property
    def top(self) -> int:
        return self.row * PITCH + 2

    @property
    def middle(self) -> int:
        return self.left + TILE // 2

    @property
    def letters_line(self) -> int:
        return self.top + 23

    @property
    def figure_line(self) -> int:
        return self.top + 43


@dataclass(frozen=True)
class TileMap:
    name: str
    title: str
    tiles: list[Tile]
    size = TILE
    width = 6 * PITCH
    height = 5 * PITCH
    template = "steering/_map.html"


def tile_map(table: Table, codes: Sequence[str], title: str) -> TileMap:
    """One square for each region of the table, in whose order the codes come. Darker by thirds of the largest."""
    largest = max((row.values[1] for row in table.parts), default=0)
    tiles = []
    for code, row in zip(codes, table.parts, strict=True):
        if code in PLACES:
            letters, column, line = PLACES[code]
            count = row.values[1]
            level = min(3, 1 + 3 * count // largest) if count else 0
            text = table.columns[1].say(count)
            tiles.append(Tile(letters, row.values[0], text, column, line, level, row.href, row.is_current))
    return TileMap(
        f"{table.name}-carte", title, sorted(tiles, key=lambda tile: (tile.column > 3, tile.row, tile.column))
    )


# --- curves -------------------------------------------------------------------------------------------------------
MOST_DOTS = 30


@dataclass(frozen=True)
class Dot:
    x: str
    y: str


@dataclass(frozen=True)
class Curve:
    """`line`: points in a square of 100 by 100."""

    name: str
    title: str
    description: str
    line: str
    dots: list[Dot]
    top: int
    first: date
    last: date
    template = "steering/_curve.html"

    @property
    def half(self) -> int:
        return self.top // 2


def curve(
    name: str, title: str, mondays: Sequence[date], counts: Sequence[int], *, top: int, is_rounded: bool = False
) -> Curve:
    """`top`: of the scale, so that curves beside one another can be compared. Rounded counts are not summed."""
    last = max(len(counts) - 1, 1)
    points = [(100 * rank / last, 100 - 100 * count / top) for rank, count in enumerate(counts)]
    line = " ".join(f"{x:.2f},{y:.2f}" for x, y in points)
    dots = [Dot(_percent(x), _percent(y)) for x, y in points] if len(points) <= MOST_DOTS else []
    description = _told(mondays, counts, in_all=not is_rounded)
    return Curve(name, title, description, line, dots, top, mondays[0], mondays[-1])


def _told(mondays: Sequence[date], counts: Sequence[int], *, in_all: bool) -> str:
    most, monday = max(zip(counts, mondays, strict=True), default=(0, mondays[-1]))
    weeks = f"{len(mondays)} semaine{'s' if len(mondays) > 1 else ''} jusqu’à celle du {paris_date(mondays[-1])}"
    if not most:
        return f"{weeks}{NBSP}: aucune."
    total = f"{thousands(sum(counts))} au total, " if in_all else ""
    return f"{weeks}{NBSP}: {total}au plus {thousands(most)} (semaine du {paris_date(monday)})."


def scale_of(counts) -> int:
    """The top of a scale: a round even number, so that half of it is whole."""
    largest = max(counts, default=0)
    power = 1
    while True:
        for step in (2, 4, 6, 8):
            if largest <= step * power:
                return step * power
        if largest <= 10 * power:
            return 10 * power
        power *= 10
