"""Figures of the dossiers."""

from collections.abc import Iterator

from django.db.models import Count

from applications.models import Application
from applications.states import State
from ecare.metrics import Measure


def measures() -> Iterator[Measure]:
    counts = dict(Application.objects.order_by().values_list("state").annotate(Count("pk")))
    by_state = {str(state): counts.get(state, 0) for state in State}
    yield Measure("ecare_dossiers", "Dossiers by state.", by_state, label="state")
