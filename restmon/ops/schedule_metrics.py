"""Metrics of schedules: when each ran last, and how that ended."""

from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from restmon.core.instants import SECOND
from restmon.storage import database
from restmon.storage.document_models import Document, Schedule, ScheduleRun
from restmon.storage.models import FAILED, RUNNING

MOST = 200
"""How many schedules are told about at most."""


def collect() -> list[Metric]:
    """The last run of each schedule that is not paused."""
    last = GaugeMetricFamily(
        "restmon_schedule_last_run_timestamp_seconds",
        "When the last run of a schedule was due, in Unix seconds.",
        labels=["schedule"],
    )
    failed = GaugeMetricFamily(
        "restmon_schedule_last_run_failed",
        "Whether the last run of a schedule failed, or was not sent to all channels.",
        labels=["schedule"],
    )
    running = GaugeMetricFamily(
        "restmon_schedule_running",
        "Whether the last run of a schedule is under way.",
        labels=["schedule"],
    )
    with database.reading():
        query = Schedule.select().where(~Schedule.paused).order_by(Schedule.id).limit(MOST)
        for row in query:
            runs = ScheduleRun.select().where(ScheduleRun.schedule == row.id)
            run = runs.order_by(ScheduleRun.due_at.desc()).first()
            if run is None:
                continue
            document = Document.get_or_none(Document.id == run.document_id)
            status = None if document is None else document.status
            label = [str(row.id)]
            last.add_metric(label, run.due_at / SECOND)
            failed.add_metric(label, int(status == FAILED or run.note is not None))
            running.add_metric(label, int(status == RUNNING))
    return [last, failed, running]
