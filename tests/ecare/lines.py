"""What would stand on standard error in production, at the most talkative level."""

import io
import json
import logging

from ecare.logs import Line


class Lines(logging.Handler):
    """Each record as production writes it."""

    def __init__(self):
        super().__init__(logging.DEBUG)
        self.stream = io.StringIO()
        self.setFormatter(Line())

    def emit(self, record):
        self.stream.write(self.format(record) + "\n")

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    def all(self, **facts) -> list[dict]:
        """Every line that says so."""
        found = [json.loads(line) for line in self.text.splitlines()]
        return [line for line in found if facts.items() <= line.items()]


def listening(levels=("ecare.access", "ecare.work", "django", "django.server", "celery", "")):
    """A handler that hears everything, and what undoes it."""
    handler, before = Lines(), {name: logging.getLogger(name).level for name in levels}
    for name in levels:
        logging.getLogger(name).setLevel(logging.DEBUG)
    logging.getLogger().addHandler(handler)

    def stop():
        logging.getLogger().removeHandler(handler)
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)

    return handler, stop
