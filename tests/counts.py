"""How often a test does what it does: a few times in each run, as often as docs/ promise with `ECARE_FULL=1`.

`ECARE_FULL=1 .venv/bin/python -m tests.postgres .venv/bin/python -m pytest tests/races tests/attacks tests/journal`
"""

import os

IS_FULL = os.environ.get("ECARE_FULL", "") not in ("", "0", "false")


def few_or_all(few: int, full: int) -> int:
    return full if IS_FULL else few
