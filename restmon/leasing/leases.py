"""Leases: which worker works on a job, and what happens when that worker dies.

The queue delivers a task at most once: when its worker dies, the task is lost. So the job's row is
the truth, and a lease in it says who works on it::

    worker 1   take      beat      beat      dies
    lease      |---20 s--->
                         |---20 s--->
                                   |---20 s--->| expired
    worker 2                                      take: attempt 2 of 3

A heartbeat thread moves ``lease_until`` ahead of the clock every 4 seconds. Once it is past, any
worker may take the job, three times in all. The clock is the one that all workers share
(`database.clock`), since the clocks of their machines may differ.
"""

import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from peewee import PeeweeException, fn

from restmon.core.instants import SECOND
from restmon.errors import RestmonError
from restmon.logs import event
from restmon.settings import get_settings
from restmon.storage.database import clock, connection_lost, explain, session, tuples, updating
from restmon.storage.models import COMPLETE, FAILED, RUNNING, Import, Job, Report, Shard

log = logging.getLogger("restmon.jobs")
COUNTED = ("read", "new", "updated", "unchanged", "rejected", "removed")
LEASE_SECONDS = 20
MARGIN_SECONDS = 20
HEARTBEAT_SECONDS = 4
MINUTE_SECONDS = 60
MOST_ATTEMPTS = 3
TOOK_TOO_LONG = (
    "It took longer than {} minutes and was given up; nothing was changed. Import less at once, or "
    "raise RESTMON_MAX_JOB_MINUTES."
)


class LeaseLost(Exception):
    """This worker does not hold the job any more: it was finished, taken over or deleted."""


class Lease:
    """A hold on one job. ``progress`` (0 to 1) is written with the next heartbeat."""

    def __init__(self, job: Job, owner: str) -> None:
        self.job = job
        self.owner = owner
        self.progress = 0.0

    def report_progress(self, progress: float) -> None:
        """Set the progress."""
        self.progress = progress

    def is_held(self) -> Any:
        """The condition that this lease still holds the row."""
        model = type(self.job)
        return (
            (model.id == self.job.id)
            & (model.lease_owner == self.owner)
            & (model.status == RUNNING)
        )

    def update(self, **values: Any) -> None:
        """Update the row. Raises :class:`LeaseLost` if this lease does not hold it any more."""
        with session():
            if not type(self.job).update(**values).where(self.is_held()).execute():
                raise LeaseLost(self.job.id)

    def complete(self, **values: Any) -> None:
        """Mark the job complete. Raises :class:`LeaseLost` if this lease does not hold it."""
        self.update(
            status=COMPLETE,
            progress=1.0,
            error=None,
            finished_at=clock(),
            lease_until=None,
            **values,
        )

    def fail(self, error: str, **values: Any) -> bool:
        """Mark the job failed, with the reason. Returns whether this lease still held it."""
        try:
            self.update(status=FAILED, error=error, finished_at=clock(), lease_until=None, **values)
        except LeaseLost:
            return False
        return True

    def release(self) -> None:
        """Give the job back unfinished. This attempt does not count."""
        model = type(self.job)
        self.update(lease_owner=None, lease_until=None, attempts=model.attempts - 1)

    def log(self, seconds: float) -> None:
        """Log how this attempt at the job ended, and how long it took."""
        job = self.job
        with suppress(PeeweeException, RestmonError), session():
            job = type(job).get_or_none(type(job).id == job.id) or job
        counts = getattr(job, "counts", None) or {}
        event(
            log,
            type(job).__name__.lower(),
            id=job.id,
            status=job.status,
            seconds=seconds,
            attempt=self.job.attempts,
            error=job.error,
            **{name: counts.get(name) for name in COUNTED},
            stores=getattr(job, "stores", None),
        )

    def heartbeat(self) -> None:
        """Move the lease ahead of the clock."""
        until = clock() + LEASE_SECONDS * SECOND
        self.update(lease_until=until, progress=round(self.progress, 4))


def new_owner() -> str:
    """A unique name for a lease. Host and process are for people who read it."""
    return f"{socket.gethostname()[:32]}:{os.getpid()}:{secrets.token_hex(6)}"


def _is_free(model: type[Job], moment: int) -> Any:
    """The condition that a job is under no lease at the moment."""
    return model.lease_until.is_null() | _expired(model, moment)


def _expired(model: type[Job], moment: int) -> Any:
    # A lease that ends later than any new one is from before the clock stepped back.
    furthest = moment + (LEASE_SECONDS + MARGIN_SECONDS) * SECOND
    return (model.lease_until < moment) | (model.lease_until > furthest)


def take(model: type[Job], job_id: str) -> Lease | None:
    """A lease on the job, or None if there is no such job, it is done, or another worker holds
    it."""
    owner = new_owner()
    with updating():
        moment = clock()
        taken = (
            model.update(
                lease_owner=owner,
                lease_until=moment + LEASE_SECONDS * SECOND,
                attempts=model.attempts + 1,
                started_at=moment,
                progress=0.0,
            )
            .where((model.id == job_id) & (model.status == RUNNING) & _is_free(model, moment))
            .where(model.attempts < MOST_ATTEMPTS)
            .execute()
        )
        return Lease(model.get_by_id(job_id), owner) if taken else None


@contextmanager
def keep(lease: Lease) -> Iterator[Lease]:
    """Keep the lease while the block runs, and log the job's end. After
    ``RESTMON_MAX_JOB_MINUTES`` the job has failed, whatever the block still does."""
    begun = time.monotonic()
    minutes = get_settings().max_job_minutes
    stop = threading.Event()

    def beat() -> None:
        while not stop.wait(HEARTBEAT_SECONDS):
            try:
                if time.monotonic() - begun > minutes * MINUTE_SECONDS:
                    lease.fail(TOOK_TOO_LONG.format(minutes))
                    return
                lease.heartbeat()
            except LeaseLost:
                return
            except PeeweeException:
                continue  # a busy database: the next beat is soon enough

    thread = threading.Thread(target=beat, name=f"heartbeat-{lease.job.id[:8]}", daemon=True)
    thread.start()
    try:
        yield lease
    finally:
        stop.set()
        thread.join()
        lease.log(time.monotonic() - begun)


def carry_out(lease: Lease, work: Callable[[Lease], None]) -> bool:
    """Do a job's work under its lease. Returns whether this worker held the job to the end.

    A RestmonError makes the job fail. So does any other error, which is then raised again. If the
    database went away, the job stays as it is until another worker finds the lease expired.
    """
    with keep(lease):
        try:
            work(lease)
        except LeaseLost:
            return False
        except RestmonError as error:
            return lease.fail(str(error))
        except Exception as error:
            fail_for(lease, error)
            raise
    return True


def fail_for(lease: Lease, error: Exception) -> None:
    """Fail a job for an unexpected error. If the database went away, the job stays as it is until
    another worker finds the lease expired."""
    if not connection_lost(error):
        lease.fail(str(explain(error) or explain_unexpected(error)))


def give_up(model: type[Job]) -> int:
    """Fail the jobs whose workers died three times, and those that nobody can resume.

    Returns how many.
    """
    with updating():
        expired = (model.status == RUNNING) & _expired(model, clock())
        worn_out = (
            model.update(
                status=FAILED,
                error=f"The worker died or was stopped {MOST_ATTEMPTS} times while at it; "
                "look at the worker's log, then ask for it again.",
                finished_at=clock(),
                lease_until=None,
            )
            .where(expired & (model.attempts >= MOST_ATTEMPTS))
            .execute()
        )
        if model is Import:
            worn_out += (
                Import.update(
                    status=FAILED,
                    error="The command that ran this import was stopped; nothing was changed. "
                    "Run it again.",
                    finished_at=clock(),
                    lease_until=None,
                )
                .where(expired & ~Import.resumable)
                .execute()
            )
        return int(worn_out)


def list_waiting(model: type[Job]) -> list[str]:
    """The ids of the running jobs that no worker holds."""
    with session():
        query = model.select(model.id).where(
            (model.status == RUNNING) & _is_free(model, clock()) & (model.attempts < MOST_ATTEMPTS)
        )
        if model is Import:
            query = query.where(Import.resumable)
        elif model is Report:
            # A report whose shards are under way waits for them.
            under_way = Shard.select(Shard.report).where(Shard.status == RUNNING)
            query = query.where(Report.id.not_in(under_way))
        return [job_id for (job_id,) in tuples(query.order_by(model.requested_at))]


def next_expiry(model: type[Job]) -> float | None:
    """The seconds until the next lease expires, or None."""
    with session():
        moment = clock()
        expiry = (
            model.select(fn.MIN(model.lease_until))
            .where((model.status == RUNNING) & (model.lease_until >= moment))
            .scalar()
        )
        return None if expiry is None else (expiry - moment) / SECOND


def explain_unexpected(error: BaseException) -> str:
    """The sentence for the user about an unexpected error. The log has the traceback."""
    return f"An unexpected error stopped it ({type(error).__name__}); the worker's log says more."
