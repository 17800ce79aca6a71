"""Metrics for Prometheus (``GET /metrics``): this process's requests, and the state of restmon.

Each request reads the state anew. If the database or the queue does not answer, its metrics are
missing, and ``restmon_up`` is 0 for that part.
"""

from collections.abc import Callable, Iterable

from peewee import fn
from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from restmon.errors import RestmonError
from restmon.leasing import heartbeats
from restmon.ops import fleet_metrics, schedule_metrics, summary
from restmon.reporting import feed
from restmon.storage import database
from restmon.storage.document_models import Document
from restmon.storage.models import COMPLETE, FAILED, RUNNING, Import, Report

TYPE = "text/plain; version=0.0.4; charset=utf-8"
METHODS = {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"}
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 600)

registry = CollectorRegistry()
for _kind in (ProcessCollector, PlatformCollector, GCCollector):
    _kind(registry=registry)
_requests = Counter(
    "restmon_requests",
    "Requests answered, by route (as in /openapi.json; other: none of them) and status.",
    ["method", "route", "status"],
    registry=registry,
)
_seconds = Histogram(
    "restmon_request_seconds",
    "Seconds until a request was answered, by route.",
    ["route"],
    buckets=BUCKETS,
    registry=registry,
)


def count_request(method: str, route: str | None, status: str, seconds: float) -> None:
    """Count an answered request. ``route`` is its rule, None if no route has its path."""
    rule = route or "other"
    _requests.labels(method if method in METHODS else "other", rule, status).inc()
    _seconds.labels(rule).observe(seconds)


class _State(Collector):
    """The state of restmon, read anew each time."""

    def __init__(
        self, queue_depth: Callable[[], int], more: Callable[[], Iterable[Metric]]
    ) -> None:
        self.queue_depth = queue_depth
        self.more = more

    def collect(self) -> Iterable[Metric]:
        """All gauges."""
        up = GaugeMetricFamily("restmon_up", "Whether a part answers.", labels=["part"])
        found: list[Metric] = []
        for part, read in (
            ("database", self._of_all_tables),
            ("queue", self._of_queue),
        ):
            try:
                with database.explain_errors():
                    found += read()
                up.add_metric([part], 1)
            except RestmonError:
                up.add_metric([part], 0)
        return [up, *found]

    def _of_all_tables(self) -> list[Metric]:
        found = (_of_database(), fleet_metrics.collect(), schedule_metrics.collect(), self.more())
        return [metric for part in found for metric in part]

    def _of_queue(self) -> list[Metric]:
        return [_gauge("queue_depth", "Tasks that wait for a worker.", self.queue_depth())]


def _of_database() -> list[Metric]:
    facts = summary.read_facts()
    jobs = GaugeMetricFamily(
        "restmon_jobs",
        "Reports, documents and imports on record, by status.",
        labels=["kind", "status"],
    )
    with database.reading():
        for kind, model in (("report", Report), ("document", Document), ("import", Import)):
            counted = model.select(model.status, fn.COUNT(model.id)).group_by(model.status)
            by_status = dict(database.tuples(counted))
            for status in (RUNNING, COMPLETE, FAILED):
                jobs.add_metric([kind, status.lower()], by_status.get(status, 0))
        workers = heartbeats.count_alive()
    gauges: list[Metric] = [
        jobs,
        _gauge("stores", "Stores in the database.", facts["stores"]),
        _gauge("feed_stale", "Whether polls no longer come in.", facts["feed"] == feed.STALE),
        _gauge("future_polls", "Polls from the future.", facts["future_polls"]),
        _gauge("workers", "Worker processes seen in the last 30 seconds.", workers),
    ]
    for name, what, value in (
        (
            "worker_seen_seconds",
            "Seconds since the last sign of life of any worker.",
            facts["worker_seen_seconds_ago"],
        ),
        (
            "newest_poll_age_seconds",
            "Seconds since the newest poll's timestamp.",
            facts["newest_poll_age_seconds"],
        ),
    ):
        if value is not None:
            gauges.append(_gauge(name, what, value))
    return gauges


def _gauge(name: str, what: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"restmon_{name}", what, value)


def watch(queue_depth: Callable[[], int], more: Callable[[], Iterable[Metric]] = tuple) -> None:
    """Add the state of restmon to the metrics. ``queue_depth`` raises RestmonError if the queue
    does not answer. ``more`` reads further gauges of the database."""
    registry.register(_State(queue_depth, more))


def text() -> bytes:
    """All metrics, in Prometheus's text format."""
    return generate_latest(registry)
