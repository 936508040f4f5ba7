"""`/metriques/`: figures for Prometheus, for whoever shows the token; the address is not there for anybody else.

What a process counts (requests, refusals) is added up over the processes of its node. What stands in the database is
asked at each reading, in a constant number of questions that indexes answer: any node says the same (ADR 36).
"""

import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.http import Http404, HttpResponse
from django.utils.crypto import constant_time_compare
from django.utils.module_loading import import_string
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from ecare import health

disable_created_metrics()
COUNTED = CollectorRegistry()
BUCKETS = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
REQUESTS = Counter("ecare_requests", "Requests answered.", ["method", "route", "status"], registry=COUNTED)
SECONDS = Histogram(
    "ecare_request_seconds", "Seconds until the answer began.", ["route"], registry=COUNTED, buckets=BUCKETS
)
REFUSALS = Counter("ecare_refusals", "Requests refused.", ["reason"], registry=COUNTED)
UPLOADS_REFUSED = Counter("ecare_uploads_refused", "Files refused as they came.", ["reason"], registry=COUNTED)
REASONS = {400: "bad_request", 401: "signed_out", 403: "forbidden", 404: "not_found", 409: "not_now", 429: "rate_limit"}
_WATCHED: list[str] = []


@dataclass(frozen=True)
class Measure:
    """A figure of now: one value, or one for each value of a label."""

    name: str
    says: str
    value: float | Mapping[str, float]
    label: str = ""


def watch(path: str) -> None:
    """Of a room (`apps.py`): a function of an instant that gives its measures."""
    if path not in _WATCHED:
        _WATCHED.append(path)


def seconds_since(then, now) -> float:
    """0 when there is nothing to wait for, or not yet."""
    return max(0.0, (now - then).total_seconds()) if then else 0.0


# --- what is counted ------------------------------------------------------------------------------------------------
def count_request(*, method: str, route: str, status: int, seconds: float, is_csrf: bool) -> None:
    REQUESTS.labels(method, route, str(status)).inc()
    SECONDS.labels(route).observe(seconds)
    if reason := "csrf" if is_csrf else REASONS.get(status):
        REFUSALS.labels(reason).inc()


def count_refusal(reason: str) -> None:
    """One that no status tells: the page comes again and says so."""
    REFUSALS.labels(reason).inc()


def count_refused_upload(refusal: Exception) -> None:
    """By the module that refused: names, content, pdf, office, archives… ; nothing of the file."""
    trace, place = refusal.__traceback__, "unknown"
    while trace is not None:
        place, trace = trace.tb_frame.f_globals.get("__name__", ""), trace.tb_next
    UPLOADS_REFUSED.labels(place.rpartition(".")[2]).inc()


# --- what is asked --------------------------------------------------------------------------------------------------
class Asked(Collector):
    """Every measure of every room; none when the database does not answer."""

    def collect(self) -> Iterable[GaugeMetricFamily]:
        state = health.report()
        yield from map(_family, _of_health(state))
        if not health.is_ready(state):
            return
        for path in _WATCHED:
            measures: Callable[[], Iterable[Measure]] = import_string(path)
            yield from map(_family, measures())


def _of_health(state: dict[str, bool]) -> Iterable[Measure]:
    ready = {name: float(answers) for name, answers in state.items()}
    yield Measure("ecare_check_ready", "Whether what this node needs answers.", ready, label="check")
    if state["database"]:
        pulse = cache.get(health.PULSE)
        age = float("inf") if pulse is None else max(0.0, time.time() - pulse)
        yield Measure("ecare_pulse_age_seconds", "Since beat, the broker and a worker did something together.", age)


def _family(measure: Measure) -> GaugeMetricFamily:
    if not isinstance(measure.value, Mapping):
        return GaugeMetricFamily(measure.name, measure.says, value=measure.value)
    family = GaugeMetricFamily(measure.name, measure.says, labels=[measure.label])
    for name, value in measure.value.items():
        family.add_metric([name], value)
    return family


# --- the page -------------------------------------------------------------------------------------------------------
@require_safe
@never_cache
@login_not_required
def metrics(request):
    """The text format of Prometheus."""
    if not _shows_the_token(request):
        raise Http404
    asked = CollectorRegistry(auto_describe=False)
    asked.register(Asked())
    return HttpResponse(generate_latest(_counted()) + generate_latest(asked), content_type=CONTENT_TYPE_LATEST)


def _counted() -> CollectorRegistry:
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return COUNTED
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    return registry


def _shows_the_token(request) -> bool:
    scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
    token = settings.METRICS_TOKEN
    return bool(token) and scheme.lower() == "bearer" and constant_time_compare(shown.strip(), token)
