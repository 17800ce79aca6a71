"""The tasks. Each looks at a row and does its job.

A row stays Running until its job is done, so it does no harm if a task is lost with its worker or
delivered twice: :func:`sweep` enqueues the jobs that no worker holds, and a lease keeps two workers
from the same job.
"""

import logging
import time
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from huey import crontab, group

from jobs import outages
from jobs.queue import huey
from restmon.access.roles import THIS_MACHINE, Actor
from restmon.core.instants import DAY
from restmon.documents import documents
from restmon.documents.documents import Wanted
from restmon.ingest import imports, watched_folder
from restmon.leasing import leases
from restmon.logs import event
from restmon.notify import outbox, schedule_runs
from restmon.ops import cleanup, housekeeping, retention
from restmon.reporting import day_sums_refresh, reports, shards
from restmon.settings import get_settings
from restmon.storage import database
from restmon.storage.document_models import Document
from restmon.storage.models import Import, Job, Report, Shard
from restmon.storage.notify_models import OutboxMessage

log = logging.getLogger("restmon.jobs")

GATHER_SECONDS = 10
_announced: float | None = None
"""When this process last announced live changes (seconds of the clock that only goes forward)."""


@huey.task()
def run_report(report_id: str) -> None:
    """Compute a report."""
    _watch()
    if not reports.work(report_id):
        return
    _enqueue(evaluate_rules)
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
def run_document(document_id: str) -> None:
    """Make a document."""
    _watch()
    documents.work(document_id)
    for message_id in schedule_runs.deliver(document_id):
        _enqueue(send_message, message_id)


@huey.task()
def run_import(import_id: str) -> None:
    """Run an import."""
    _watch()
    imports.work(import_id)
    look_at_folder()
    refresh_day_sums()
    _enqueue(evaluate_rules)


@huey.task()
def refresh_day_sums() -> None:
    """Take a step to bring the day sums up to date with the data. Whatever else waits in the queue
    comes before it, so that no report waits for more than one step."""
    own = refresh_day_sums.task_class.__name__
    others_wait = any(task.name != own for task in huey.pending())
    if others_wait or day_sums_refresh.refresh(most_steps=1):
        _refresh_day_sums_further()


@huey.task()
def evaluate_rules() -> None:
    """Find what there is to say, and enqueue it."""
    from restmon.notify import evaluation  # noqa: PLC0415 - only a worker needs it

    _watch()
    enqueue_messages(evaluation.evaluate_rules())


@huey.periodic_task(crontab(minute="*/5"))
def evaluate_rules_on_schedule() -> None:
    """Evaluate the rules also when no import ended, because time alone may matter."""
    evaluate_rules.call_local()


@huey.task()
def send_message(message_id: str) -> None:
    """Send a message of the outbox."""
    from restmon.notify import delivery  # noqa: PLC0415 - only a worker needs its libraries

    _watch()
    delivery.deliver(message_id)


@huey.task()
def sweep() -> None:
    """Recover the jobs of workers that died; see :func:`recover`."""
    recover()
    look_at_folder()


@huey.periodic_task(crontab())
def sweep_every_minute() -> None:
    """Sweep on a schedule."""
    recover()
    look_at_folder()
    _refresh_day_sums_further()


@huey.periodic_task(crontab())
def run_schedules() -> None:
    """Make the documents that are due, and send those that are ready."""
    for document_id in schedule_runs.claim_due():
        _enqueue(run_document, document_id)
    for message_id in schedule_runs.deliver_ready():
        _enqueue(send_message, message_id)


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
    """Delete the reports, imports, messages, records for undo and audit entries that are too
    old."""
    done = housekeeping.clean()
    outbox.forget(database.clock() - get_settings().keep_reports_days * DAY)
    if any(asdict(done).values()):
        event(log, "housekeeping", **asdict(done))


@huey.periodic_task(crontab(minute="20"))
def clean() -> None:
    """Delete the files that killed processes left behind."""
    deleted = cleanup.clean()
    if deleted:
        event(log, "cleaned", deleted=deleted)


def recover() -> None:
    """Enqueue the jobs that no worker holds and the messages that are due, fail the jobs whose
    workers died three times, and sweep again when the next lease would expire."""
    queued = {task.args[0] for task in huey.pending() if task.args}
    tasks = (
        (Shard, run_shard),
        (Report, run_report),
        (Document, run_document),
        (Import, run_import),
    )
    for model, task in tasks:
        leases.give_up(model)
        for job_id in leases.list_waiting(model):
            if job_id not in queued:
                event(log, "enqueued_again", kind=model.__name__.lower(), id=job_id)
                task(job_id)
    for message_id in outbox.list_due():
        if message_id not in queued:
            send_message(message_id)
    leased: tuple[type[Job], ...] = (Shard, Report, Document, Import, OutboxMessage)
    for kind in leased:
        expiry = leases.next_expiry(kind)
        if expiry is not None:
            _look_again(expiry + 1)


def look_at_folder() -> None:
    """Import what is finished in the watched folder, and put away what is imported."""
    ids, look_again = watched_folder.look()
    for import_id in ids:
        _enqueue(run_import, import_id)
    if look_again:
        _look_again(watched_folder.SETTLED_SECONDS + 1)


def _watch() -> None:
    """Schedule a sweep for the time by which this task's lease will have expired if its worker
    dies. The queue holds it, so it outlives the worker."""
    _look_again(leases.LEASE_SECONDS + 1)


def _look_again(seconds: float) -> None:
    # One scheduled sweep is enough: it schedules the next one itself.
    if not any(task.name == "sweep" for task in huey.scheduled()):
        sweep.schedule(delay=max(1.0, seconds))


def _refresh_day_sums_further() -> None:
    if not day_sums_refresh.is_current() and not _is_queued(refresh_day_sums):
        _enqueue(refresh_day_sums)


def _is_queued(task: Any) -> bool:
    return any(waiting.name == task.task_class.__name__ for waiting in huey.pending())


def _enqueue(task: Any, *job_ids: str) -> None:
    """Enqueue a row that is committed. If the queue does not answer, a sweep enqueues it later."""
    try:
        task(*job_ids)
    except Exception as error:
        if not outages.is_away(error):
            raise
        log.warning("not enqueued yet: %s", " ".join(job_ids) or task.name, exc_info=error)


def enqueue_report(**request: Any) -> Report:
    """Request a report and enqueue it; see :func:`restmon.reporting.reports.request`."""
    report = reports.request(**request)
    _enqueue(run_report, report.id)
    return report


def enqueue_document(
    wanted: Wanted, requested_by: str = "api", actor: Actor = THIS_MACHINE
) -> Document:
    """Request a document and enqueue it; see :func:`restmon.documents.documents.request`."""
    document = documents.request(wanted, requested_by, actor)
    _enqueue(run_document, document.id)
    return document


def enqueue_schedule(schedule_id: int, actor: Actor = THIS_MACHINE) -> str:
    """Run a schedule at once; see :func:`restmon.notify.schedule_runs.run_now`. Returns the id of
    the document."""
    document_id = schedule_runs.run_now(schedule_id, actor)
    _enqueue(run_document, document_id)
    return document_id


def enqueue_import(
    files: list[Any], requested_by: str = "api", actor: Actor = THIS_MACHINE
) -> Import:
    """Request an import and enqueue it; see :func:`restmon.ingest.imports.request`."""
    row = imports.request(files, requested_by, actor)
    _enqueue(run_import, row.id)
    return row


def announce_live_changes() -> None:
    """Evaluate the rules in a few seconds, once for all that comes in live until then."""
    global _announced  # noqa: PLW0603 - of this process
    moment = time.monotonic()
    if _announced is not None and moment < _announced + GATHER_SECONDS:
        return
    _announced = moment
    try:
        evaluate_rules.schedule(delay=GATHER_SECONDS)
    except Exception as error:
        if not outages.is_away(error):
            raise
        log.warning("the rules are not evaluated yet", exc_info=error)


def enqueue_messages(message_ids: Iterable[str]) -> None:
    """Enqueue messages of the outbox that are committed. A sweep finds those that are not."""
    for message_id in message_ids:
        _enqueue(send_message, message_id)
