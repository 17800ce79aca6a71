"""Workers with faults, and waiting for their jobs."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from peewee import PeeweeException

from restmon.core.instants import SECOND
from restmon.errors import RestmonError
from restmon.leasing import heartbeats, leases
from restmon.storage import database
from restmon.storage.models import RUNNING, Job, Poll, now
from tests.support.environment import wait_until
from tests.support.workspace import Running, Workspace

# The product has no such hooks. Leases that expire soon, so that a test need not wait long.
SHORT_LEASES = """
from restmon.leasing import leases
leases.LEASE_SECONDS, leases.HEARTBEAT_SECONDS = {seconds}, 0.3
leases.MOST_ATTEMPTS = {attempts}
"""
# Jobs take for ever, so that the worker can be killed in the middle of one.
SLOW = """
import time
from restmon.ingest import imports
from restmon.reporting import computation
def forever(*args, **kwargs):
    print("at it", flush=True)
    time.sleep(600)
computation.compute = forever
imports.import_files = forever
"""
# Waits in the middle of the first import (in its transaction, polls written) and of the first
# report (in its transaction, everything read), until the file is gone.
PAUSING = """
import time
from pathlib import Path
from restmon.reporting.snapshot import Stores
from restmon.storage import database
hold = Path({hold!r})
def pausing(real):
    def paused(*args, **kwargs):
        found = real(*args, **kwargs)
        if hold.exists():
            print("at it", flush=True)
            while hold.exists():
                time.sleep(0.05)
        return found
    return paused
database.merge_polls = pausing(database.merge_polls)
Stores.open_between = pausing(Stores.open_between)
"""
BECOME_A_WORKER = """
import runpy, sys
sys.argv = ["jobs"]
runpy.run_module("jobs", run_name="__main__")
"""


def start_changed(workspace: Workspace, change: str, env: dict[str, str] | None = None) -> Running:
    """A worker whose process runs some Python first."""
    return workspace.start_script(change + BECOME_A_WORKER, env)


def start_worker(
    workspace: Workspace,
    *,
    slow: bool = False,
    lease: float = 3,
    attempts: int = 3,
    change: str = "",
    env: dict[str, str] | None = None,
) -> Running:
    """A worker whose leases last so many seconds, and whose jobs end, or (``slow``) never do."""
    change += SHORT_LEASES.format(seconds=lease, attempts=attempts)
    return start_changed(workspace, change + SLOW if slow else change, env)


def ended(get: Any, job_id: str, seconds: float = 150) -> Any:
    """The job's row once it is Complete or Failed."""
    return wait_until(
        "the job ends",
        lambda: next((job for job in [get(job_id)] if job.status != RUNNING), None),
        seconds,
    )


def polls() -> int:
    """How many polls are stored."""
    with database.session():
        return int(Poll.select().count())


@contextmanager
def beating(name: str) -> Iterator[None]:
    """Make a worker seem alive until the block ends, however long that takes."""
    started, stop = now(), threading.Event()

    def beat() -> None:
        while not stop.wait(heartbeats.ALIVE_SECONDS / 6):
            with suppress(PeeweeException, RestmonError):
                heartbeats.beat(name, started)

    heartbeats.beat(name, started)
    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        with suppress(PeeweeException, RestmonError):  # the test may have broken the database
            heartbeats.remove(name)


@contextmanager
def held_job(model: type[Job], **values: Any) -> Iterator[Any]:
    """A job that a worker holds until the block ends, however long that takes."""
    until = database.clock() + leases.LEASE_SECONDS * SECOND
    with database.session():
        job = model.create(lease_owner="a worker", lease_until=until, attempts=1, **values)
    lease = leases.Lease(job, "a worker")
    lease.progress = values.get("progress", 0.0)
    with leases.keep(lease):
        yield job
