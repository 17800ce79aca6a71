"""The tasks. Each looks at a row and does its job.

A row stays Running until its job is done, so it does no harm if a task is lost with its worker or
delivered twice: :func:`sweep` enqueues the jobs that no worker holds, and a lease keeps two workers
from the same job.
"""

import logging
from dataclasses import asdict
from typing import Any

import numpy as np
from huey import crontab, group

from jobs import outages
from jobs.queue import huey
from restmon.access.roles import THIS_MACHINE, Actor
from restmon.core.instants import DAY
from restmon.ingest import imports
from restmon.leasing import leases
from restmon.logs import event
from restmon.ops import cleanup, housekeeping, retention
from restmon.reporting import reports, shards
from restmon.storage import database
from restmon.storage.models import Import, Report, Shard, now

log = logging.getLogger("restmon.jobs")


@huey.task()
def run_report(report_id: str) -> None:
    """Compute a report."""
    _watch()
    if not reports.work(report_id):
        return
    parts = shards.list_waiting(report_id)
    if parts:
        huey.enqueue(group([run_shard.s(shard_id) for shard_id in parts]))


@huey.task()
def run_shard(shard_id: str) -> None:
    """Compute a part of a report. The worker that does the last part enqueues the joining.

    A chord of Huey would count the parts in the queue and never count one that died with its
    worker. The rows know which parts are done.
    """
    _watch()
    report_id = reports.work_shard(shard_id)
    if report_id:
        run_report(report_id)


@huey.task()
def run_import(import_id: str) -> None:
    """Run an import."""
    _watch()
    imports.work(import_id)


@huey.task()
def sweep() -> None:
    """Recover the jobs of workers that died; see :func:`recover`."""
    recover()


@huey.periodic_task(crontab())
def sweep_every_minute() -> None:
    """Sweep on a schedule."""
    recover()


@huey.periodic_task(crontab(minute="10", hour="9"))
def retain() -> None:
    """Delete polls beyond the retention, at night in the United States (the hour is UTC)."""
    try:
        deleted = retention.apply()
    except retention.TooMuchAtOnce as error:
        log.warning("%s", error)
        return
    if deleted:
        event(log, "retention", polls_deleted=deleted)


@huey.periodic_task(crontab(minute="40", hour="9"))
def keep_house() -> None:
    """Delete the reports, imports, records for undo and audit entries that are too old."""
    done = housekeeping.clean()
    if any(asdict(done).values()):
        event(log, "housekeeping", **asdict(done))


@huey.periodic_task(crontab(minute="20"))
def clean() -> None:
    """Delete the files that killed processes left behind."""
    deleted = cleanup.clean()
    if deleted:
        event(log, "cleaned", deleted=deleted)


@huey.periodic_task(crontab(minute="5", hour="*/6"))
def make_months_ahead() -> None:
    """Make the partitions for the polls of this and the next two months in advance."""
    instants = [now() + days * DAY for days in (0, 31, 62)]
    database.make_months(np.array(instants, np.int64))


def recover() -> None:
    """Enqueue the jobs that no worker holds, fail those whose workers died three times, and sweep
    again when the next lease would expire."""
    queued = {task.args[0] for task in huey.pending() if task.args}
    for model, task in ((Shard, run_shard), (Report, run_report), (Import, run_import)):
        leases.give_up(model)
        for job_id in leases.list_waiting(model):
            if job_id not in queued:
                event(log, "enqueued_again", kind=model.__name__.lower(), id=job_id)
                task(job_id)
        expiry = leases.next_expiry(model)
        if expiry is not None:
            _look_again(expiry + 1)


def _watch() -> None:
    """Schedule a sweep for the time by which this task's lease will have expired if its worker
    dies. The queue holds it, so it outlives the worker."""
    _look_again(leases.LEASE_SECONDS + 1)


def _look_again(seconds: float) -> None:
    # One scheduled sweep is enough: it schedules the next one itself.
    if not any(task.name == "sweep" for task in huey.scheduled()):
        sweep.schedule(delay=max(1.0, seconds))


def _enqueue(task: Any, job_id: str) -> None:
    """Enqueue a row that is committed. If the queue does not answer, a sweep enqueues it later."""
    try:
        task(job_id)
    except Exception as error:
        if not outages.is_away(error):
            raise
        log.warning("not enqueued yet: %s", job_id, exc_info=error)


def enqueue_report(**request: Any) -> Report:
    """Request a report and enqueue it; see :func:`restmon.reporting.reports.request`."""
    report = reports.request(**request)
    _enqueue(run_report, report.id)
    return report


def enqueue_import(
    files: list[Any], requested_by: str = "api", actor: Actor = THIS_MACHINE
) -> Import:
    """Request an import and enqueue it; see :func:`restmon.ingest.imports.request`."""
    row = imports.request(files, requested_by, actor)
    _enqueue(run_import, row.id)
    return row
