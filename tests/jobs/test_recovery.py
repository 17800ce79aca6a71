"""Jobs outlive their workers: real worker processes, killed in the middle."""

import os
import signal
import time
from contextlib import suppress
from typing import Any

import pytest
from peewee import PeeweeException

from jobs import tasks
from jobs.queue import huey
from jobs.tasks import enqueue_import, enqueue_report, recover
from restmon.errors import NoPolls
from restmon.ingest import imports, incoming_files
from restmon.leasing import heartbeats, jobs, leases
from restmon.reporting import computation, reports
from restmon.settings import get_settings
from restmon.storage import database, files
from restmon.storage.files import Kind
from restmon.storage.models import COMPLETE, FAILED, RUNNING, Import, Report
from tests.support import kept
from tests.support.environment import wait_until
from tests.support.workers import ended, start_worker
from tests.support.workspace import POLLS_HEADER, Workspace

pytestmark = pytest.mark.both_databases

POLLS = "a,active,2023-01-23 16:14:00 UTC\na,inactive,2023-01-23 17:15:00 UTC\n"


def upload(workspace: Workspace, polls: str) -> Any:
    path = workspace.write("upload.csv", POLLS_HEADER + polls)
    with path.open("rb") as stream:
        (file,) = incoming_files.spool(stream, "polls", "upload.csv")
        return file


@pytest.mark.slow
def test_a_report_whose_worker_is_killed_is_taken_up_by_another(workspace: Workspace):
    workspace.import_now(POLLS)
    slow = start_worker(workspace, slow=True)
    report = enqueue_report()
    wait_until("the worker is at it", lambda: "at it" in slow.output)
    slow.kill()
    assert reports.get(report.id).status == RUNNING
    start_worker(workspace)
    done = ended(reports.get, report.id)
    assert (done.status, done.attempts) == (COMPLETE, 2)
    assert reports.read_csv(done).decode() == computation.compute().csv()


@pytest.mark.slow
def test_the_other_worker_may_be_running_already(workspace: Workspace):
    workspace.import_now(POLLS)
    slow = start_worker(workspace, slow=True)
    report = enqueue_report()
    wait_until("the worker is at it", lambda: "at it" in slow.output)
    start_worker(workspace)
    slow.kill()
    assert ended(reports.get, report.id).status == COMPLETE


@pytest.mark.slow
def test_an_import_whose_worker_is_killed_is_taken_up_by_another(workspace: Workspace):
    slow = start_worker(workspace, slow=True)
    file = upload(workspace, POLLS)
    row = enqueue_import([file])
    wait_until("the worker is at it", lambda: "at it" in slow.output)
    slow.kill()
    start_worker(workspace)
    done = ended(imports.get, row.id)
    assert (done.status, done.attempts) == (COMPLETE, 2)
    assert done.counts["new"] == 2
    wait_until("the upload is gone", lambda: not kept.keys(Kind.UPLOAD))


@pytest.mark.parametrize("fails", [False, True])
def test_files_of_one_machine_can_be_imported_by_another(
    workspace: Workspace, monkeypatch: Any, fails: bool
):
    """Those of the import folder and of the watched folder, where machines share none."""
    path = workspace.write("polls.csv", POLLS_HEADER + POLLS)
    given = [incoming_files.source_file("polls", path)] * 2
    if fails:
        monkeypatch.setattr(jobs, "record", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            imports.request(given)
        assert kept.keys(Kind.UPLOAD) == []
        return
    row = imports.request(given)
    elsewhere = files.in_database()
    assert len(kept.keys(Kind.UPLOAD)) == int(elsewhere)
    if elsewhere:
        path.unlink()
    assert imports.work(row.id)
    assert imports.get(row.id).counts["new"] == 2
    assert kept.keys(Kind.UPLOAD) == []
    assert path.exists() != elsewhere


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["report", "import"])
def test_after_three_deaths_it_is_failed(workspace: Workspace, kind: str):
    if kind == "report":
        workspace.import_now(POLLS)
    job: Any = None
    for _ in range(3):
        slow = start_worker(workspace, slow=True, lease=1)
        if job is None:
            job = (
                enqueue_report() if kind == "report" else enqueue_import([upload(workspace, POLLS)])
            )
        wait_until("the worker is at it", lambda running=slow: "at it" in running.output)
        slow.kill()
    start_worker(workspace, lease=1)
    done = ended(reports.get if kind == "report" else imports.get, job.id)
    assert (done.status, done.attempts) == (FAILED, 3)
    assert "died or was stopped 3 times" in done.error


def test_a_task_lost_from_the_queue_is_enqueued_at_the_next_start(workspace: Workspace):
    workspace.import_now(POLLS)
    report = enqueue_report()
    assert huey.storage.flush_queue() is None
    assert huey.pending_count() == 0
    workspace.start_worker()
    assert ended(reports.get, report.id).status == COMPLETE


def test_the_sweep_does_not_fill_the_queue(workspace: Workspace):
    workspace.import_now(POLLS)
    for _ in range(3):
        enqueue_report()
    for _ in range(4):
        recover()
    assert huey.pending_count() == 3


def test_a_task_delivered_twice_is_done_once(workspace: Workspace):
    workspace.import_now(POLLS)
    report = reports.request()
    assert reports.work(report.id) is True
    first = reports.get(report.id)
    assert reports.work(report.id) is False
    assert reports.get(report.id).finished_at == first.finished_at


def test_who_lost_the_lease_cannot_finish(workspace: Workspace, monkeypatch: Any):
    workspace.import_now(POLLS)
    report = reports.request()
    monkeypatch.setattr(leases, "LEASE_SECONDS", -1)
    lost = leases.take(Report, report.id)
    monkeypatch.setattr(leases, "LEASE_SECONDS", 60)
    mine = leases.take(Report, report.id)
    assert lost
    assert mine
    with pytest.raises(leases.LeaseLost):
        lost.complete()
    with pytest.raises(leases.LeaseLost):
        lost.heartbeat()
    mine.complete(stores=1, size=1, as_of=1)
    assert reports.get(report.id).status == COMPLETE


def test_who_lost_the_lease_leaves_the_reports_file_alone(workspace: Workspace, monkeypatch: Any):
    workspace.import_now(POLLS)
    report = reports.request()
    monkeypatch.setattr(leases, "LEASE_SECONDS", -1)
    late = leases.take(Report, report.id)
    monkeypatch.setattr(leases, "LEASE_SECONDS", 60)
    assert late
    assert reports.work(report.id)
    text = reports.read_csv(reports.get(report.id))
    with pytest.raises(leases.LeaseLost):
        key = reports.csv_key(report.id)
        reports.finish(late, key, b"of another state of the data", as_of=0, stores=1, demo=False)
    assert reports.read_csv(reports.get(report.id)) == text
    assert kept.keys(Kind.REPORT) == [reports.csv_key(report.id)]


@pytest.mark.parametrize("gone", ["deleted", "failed"])
@pytest.mark.parametrize("fault", [NoPolls("No polls."), OSError("disk full")])
@pytest.mark.parametrize("kind", [Report, Import])
def test_a_job_that_is_gone_when_its_work_fails_is_left_alone(
    workspace: Workspace, monkeypatch: Any, kind: Any, fault: Exception, gone: str
):
    workspace.import_now(POLLS)
    row = reports.request() if kind is Report else imports.request([upload(workspace, POLLS)])

    def work(*_: Any, **__: Any) -> None:
        if gone == "deleted":
            kind.delete().execute()
        else:
            kind.update(status=FAILED, error="elsewhere").execute()
        raise fault

    monkeypatch.setattr(computation, "compute", work)
    monkeypatch.setattr(imports, "import_files", work)
    run = reports.work if kind is Report else imports.work
    if kind is Report and isinstance(fault, OSError):
        # What nobody expected is raised on, and is what the log tells.
        with pytest.raises(OSError, match="disk full"):
            run(row.id)
    else:
        assert run(row.id) is False
    if gone == "failed":
        assert kind.get_by_id(row.id).error == "elsewhere"
    assert kept.keys(Kind.UPLOAD) == []
    assert not list(get_settings().spool_dir.iterdir())


def test_the_uploads_go_also_where_the_row_is_deleted_after_the_commit(
    workspace: Workspace, monkeypatch: Any
):
    file = upload(workspace, POLLS)
    row = imports.request([file])
    real = database.tidy

    def tidy() -> None:
        assert Import.delete().execute() == 1
        real()

    monkeypatch.setattr(database, "tidy", tidy)
    imports.work(row.id)
    assert kept.keys(Kind.UPLOAD) == []


def test_an_import_that_lost_its_lease_writes_nothing(workspace: Workspace, monkeypatch: Any):
    row = imports.request([upload(workspace, POLLS)])
    real = imports.import_files

    def stolen(*args: Any, **kwargs: Any) -> Any:
        Import.update(lease_owner="another").where(Import.id == row.id).execute()
        return real(*args, **kwargs)

    monkeypatch.setattr(imports, "import_files", stolen)
    assert imports.work(row.id) is False
    assert reports.database.has_polls() is False


def test_an_import_of_a_stopped_command_fails_by_itself(workspace: Workspace, monkeypatch: Any):
    row = imports.request([upload(workspace, POLLS)], "cli", resumable=False)
    monkeypatch.setattr(leases, "LEASE_SECONDS", -1)
    assert leases.take(Import, row.id)
    recover()
    found = imports.get(row.id)
    assert found.status == FAILED
    assert "nothing was changed" in found.error
    assert huey.pending_count() == 0


def test_a_failed_report_says_why(workspace: Workspace):
    workspace.import_now(POLLS)
    report = reports.request()
    said = kept.refuse_to_write(workspace, Kind.REPORT)
    with suppress(PeeweeException):  # what is not the folder's goes into the worker's log
        reports.work(report.id)
    found = reports.get(report.id)
    assert found.status == FAILED
    assert said in found.error


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_told_to_stop_finishes_what_it_has(workspace: Workspace, sig: int):
    workspace.import_now(POLLS)
    worker = workspace.start_worker()
    ids = [enqueue_report().id for _ in range(3)]
    wait_until("one is done", lambda: any(reports.get(i).status == COMPLETE for i in ids))
    assert worker.stop(sig) == 0
    assert not heartbeats.is_worker_alive()
    assert all(reports.get(i).lease_until is None for i in ids)


@pytest.mark.slow
def test_reports_survive_a_restart(workspace: Workspace):
    workspace.import_now(POLLS)
    report = enqueue_report()
    worker = workspace.start_worker()
    done = ended(reports.get, report.id)
    text = reports.read_csv(done)
    worker.stop()
    again = workspace.start_worker()
    assert reports.read_csv(reports.get(report.id)) == text
    again.stop()


@pytest.mark.slow
def test_every_process_sees_an_import_at_its_next_use(workspace: Workspace):
    workspace.import_now(POLLS)
    workspace.start_worker()
    first = ended(reports.get, enqueue_report().id)
    assert b"\nb," not in reports.read_csv(first)
    done = workspace.restmon(
        "import",
        "--polls",
        workspace.write("more.csv", POLLS_HEADER + "b,active,2023-01-23 18:00:00 UTC\n"),
    )
    assert done.returncode == 0, done.stderr
    second = ended(reports.get, enqueue_report().id)
    assert b"\nb,60.00,24.00,168.00," in reports.read_csv(second)
    assert second.as_of > first.as_of


@pytest.mark.slow
@pytest.mark.parametrize("queue", ["sqlite", "postgres", "redis"])
def test_the_queue_may_be_on_any_of_three(workspace: Workspace, queue: str, request: Any):
    if queue == "sqlite":
        url = f"sqlite:///{workspace.path / 'another-queue.db'}"
    else:
        url = request.getfixturevalue(f"{queue}_url")
    workspace.env["RESTMON_QUEUE_URL"] = os.environ["RESTMON_QUEUE_URL"] = url
    get_settings.cache_clear()
    huey.storage.close()
    huey.connect()
    workspace.import_now(POLLS)
    workspace.start_worker()
    ids = [enqueue_report().id for _ in range(4)]
    texts = {reports.read_csv(ended(reports.get, i)) for i in ids}
    assert len(set(ids)) == 4
    assert texts == {computation.compute().csv().encode()}


@pytest.mark.slow
def test_run_starts_all_and_restarts_what_is_killed(workspace: Workspace):
    from tests.support.http import http

    run = workspace.start("run")
    wait_until("the worker is ready", lambda: "worker ready" in run.output)
    workspace.wait_for(run, workspace.api_port)
    workspace.wait_for(run, workspace.dashboard_port)
    # The addresses come last: once all of them answer.
    addresses = {workspace.api, workspace.dashboard}
    wait_until("the addresses are printed", lambda: all(a in run.output for a in addresses))
    assert "demo stores are loaded" in run.output
    (line,) = [x for x in run.output.splitlines() if "worker started (pid=" in x]
    pid = int(line.split("pid=")[1].split(")")[0])
    os.kill(pid, signal.SIGKILL)
    wait_until("the worker is back", lambda: run.output.count("worker ready") == 2)
    report = http(f"{workspace.api}/trigger_report", "POST").json
    url = f"{workspace.api}/get_report?report_id={report['report_id']}"
    done = wait_until(
        "the report ends",
        lambda: next((a for a in [http(url).json] if a["status"] != RUNNING), None),
    )
    assert done["status"] == COMPLETE
    assert len(done["csv"].splitlines()) == 41
    children = {
        int(x.split("pid=")[1].split(")")[0]) for x in run.output.splitlines() if "(pid=" in x
    }
    assert run.stop(signal.SIGINT, 60) == 0
    for _ in range(100):
        left = [p for p in children if os.path.exists(f"/proc/{p}")]  # noqa: PTH110
        if not left:
            break
        time.sleep(0.1)
    assert not left


def test_live_changes_are_evaluated_soon_and_once(workspace: Workspace, monkeypatch: Any):
    monkeypatch.setattr(tasks, "_announced", None)
    for _ in range(5):
        tasks.announce_live_changes()
    assert [task.name for task in huey.pending()] == ["evaluate_rules"]
    monkeypatch.setattr(tasks, "_announced", time.monotonic() - tasks.GATHER_SECONDS)
    tasks.announce_live_changes()
    assert [task.name for task in huey.pending()] == ["evaluate_rules"] * 2
