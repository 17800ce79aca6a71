"""Workers that something is wrong with, and waiting for what they do."""

from typing import Any

from restmon import database
from restmon.models import RUNNING, Poll
from tests.conftest import Running, Workspace, wait_until

# The product has no such hooks. Leases that expire soon, so that a test need not wait long.
SHORT_LEASES = """
from restmon import leases
leases.LEASE_SECONDS, leases.HEARTBEAT_SECONDS = {seconds}, 0.3
leases.MOST_ATTEMPTS = {attempts}
"""
# Jobs take for ever, so that the worker can be killed in the middle of one.
SLOW = """
import time
from restmon import imports, reports
def forever(*args, **kwargs):
    print("at it", flush=True)
    time.sleep(600)
reports.compute = forever
imports.import_files = forever
"""
BECOME_A_WORKER = """
import runpy, sys
sys.argv = ["jobs"]
runpy.run_module("jobs", run_name="__main__")
"""


def start_changed(workspace: Workspace, change: str, env: dict[str, str] | None = None) -> Running:
    """A worker in whose process some Python ran first."""
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
    """A worker whose leases are of so many seconds, and whose jobs are done, or take for ever."""
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
