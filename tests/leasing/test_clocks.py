"""Workers on machines whose clocks differ: on PostgreSQL leases count by the server's clock."""

from typing import Any

import pytest

from jobs.tasks import enqueue_report
from restmon.core.instants import SECOND
from restmon.leasing import heartbeats, leases
from restmon.reporting import reports
from restmon.storage import database, models
from restmon.storage.models import COMPLETE, RUNNING, Import, Report, Shard
from tests.support.clock import WORKER_CLOCK, set_ahead
from tests.support.environment import wait_until
from tests.support.workers import ended, start_worker
from tests.support.workspace import Workspace

pytestmark = pytest.mark.postgres

POLLS = "a,active,2023-01-23 16:14:00 UTC\na,inactive,2023-01-23 17:15:00 UTC\n"
OFF_SECONDS = [-300, -60, 60, 300]


@pytest.fixture(scope="module")
def database_kind() -> str:
    return "postgres"


def job(model: Any) -> Any:
    """A job that is asked for, of a kind."""
    if model is not Shard:
        return model.create()
    report = Report.create()
    return Shard.create(report=report, number=0, first="a", as_of=0, data_revision=0)


@pytest.mark.parametrize("seconds", OFF_SECONDS)
@pytest.mark.parametrize("model", [Report, Import, Shard])
@pytest.mark.parametrize("who_is_off", ["holder", "other"])
def test_no_live_lease_is_taken_over(
    workspace: Workspace, monkeypatch: Any, model: Any, seconds: int, who_is_off: str
):
    found = job(model)
    with monkeypatch.context() as patch:
        if who_is_off == "holder":
            set_ahead(patch, seconds * SECOND)
        held = leases.take(model, found.id)
        assert held
        held.heartbeat()
    if who_is_off == "other":
        set_ahead(monkeypatch, seconds * SECOND)
    assert leases.take(model, found.id) is None
    assert found.id not in leases.list_waiting(model)
    assert leases.give_up(model) == 0
    left = leases.next_expiry(model)
    assert left is not None
    assert 0 < left <= leases.LEASE_SECONDS
    held.complete()
    row = model.get_by_id(found.id)
    assert (row.status, row.attempts) == (COMPLETE, 1)
    # What is shown as its time is by one clock, too.
    assert 0 <= row.finished_at - row.started_at < 60 * SECOND


@pytest.mark.parametrize("seconds", OFF_SECONDS)
@pytest.mark.parametrize("model", [Report, Import, Shard])
def test_a_dead_workers_lease_expires_on_time(
    workspace: Workspace, monkeypatch: Any, model: Any, seconds: int
):
    found = job(model)
    with monkeypatch.context() as patch:
        set_ahead(patch, seconds * SECOND)
        patch.setattr(leases, "LEASE_SECONDS", 0)
        assert leases.take(model, found.id)
    assert found.id in leases.list_waiting(model)
    second = leases.take(model, found.id)
    assert second
    assert second.job.attempts == 2


@pytest.mark.parametrize("seconds", OFF_SECONDS)
def test_a_workers_sign_of_life_is_seen(workspace: Workspace, monkeypatch: Any, seconds: int):
    heartbeats.beat("here", database.clock())
    with monkeypatch.context() as patch:
        set_ahead(patch, seconds * SECOND)
        assert heartbeats.is_worker_alive()
        heartbeats.remove("here")
        heartbeats.beat("there", database.clock())
    assert heartbeats.is_worker_alive()
    assert abs(database.clock() - models.now()) < 60 * SECOND


@pytest.mark.slow
@pytest.mark.parametrize(("holder", "other"), [(0, 60), (0, -300), (300, 0), (-60, 0)])
def test_real_workers_whose_clocks_differ(workspace: Workspace, holder: int, other: int):
    workspace.import_now(POLLS)
    # Long enough that a worker on a busy machine renews it in time.
    lease = {"lease": 10.0}
    slow = start_worker(workspace, slow=True, change=WORKER_CLOCK.format(seconds=holder), **lease)
    report = enqueue_report()
    wait_until("the worker is at it", lambda: "at it" in slow.output)
    first = reports.get(report.id)
    start_worker(workspace, change=WORKER_CLOCK.format(seconds=other), **lease)
    # Held for longer than a lease lasts, while another worker looks for work.
    wait_until(
        "the lease is renewed",
        lambda: reports.get(report.id).lease_until > first.lease_until + 4 * SECOND,
    )
    now_held = reports.get(report.id)
    assert (now_held.status, now_held.attempts) == (RUNNING, 1)
    assert now_held.lease_owner == first.lease_owner
    slow.kill()
    done = ended(reports.get, report.id)
    assert (done.status, done.attempts) == (COMPLETE, 2)
