"""PostgreSQL crashes and is cut off in the middle of the work, which resumes by itself."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from jobs.tasks import enqueue_import, enqueue_report
from restmon.demo import generator
from restmon.ingest import imports, incoming_files
from restmon.reporting import computation, reports
from restmon.reporting.snapshot import SnapshotCache
from restmon.storage import models
from restmon.storage.database import session
from restmon.storage.models import COMPLETE
from tests.support.clusters import Cluster, cluster, postgres_programs
from tests.support.environment import free_port, wait_until
from tests.support.proxy import Proxy, proxy
from tests.support.workers import PAUSING, ended, polls, start_worker
from tests.support.workspace import (
    Running,
    Workspace,
    close_databases,
    make_workspace,
    open_workspace,
)

pytestmark = pytest.mark.postgres

CUT_SECONDS = 20


@pytest.fixture
def server() -> Iterator[Cluster]:
    """A PostgreSQL server that this test may crash."""
    with cluster(postgres_programs(), free_port(), durable=True) as made:
        yield made


@pytest.fixture
def crashing(server: Cluster, tmp_path: Path) -> Iterator[Workspace]:
    """A workspace on that server."""
    made = make_workspace(tmp_path, server.create("restmon"))
    with open_workspace(made):
        try:
            yield made
        finally:
            made.stop_all()


def start_pausing_worker(workspace: Workspace, url: str = "") -> tuple[Running, Path]:
    """(the worker, the file that lets it go on when it is deleted)."""
    hold = workspace.write("hold", "")
    env = {"RESTMON_DATABASE_URL": url} if url else {}
    running = start_worker(workspace, change=PAUSING.format(hold=str(hold)), env=env)
    return running, hold


def files(workspace: Workspace) -> list[Any]:
    made = generator.generate(
        workspace.path / "files", generator.DemoPlan(stores=60, days=8, seed=5)
    )
    paths = {
        "polls": made.polls,
        "business_hours": made.business_hours,
        "timezones": made.timezones,
    }
    return [incoming_files.source_file(kind, path) for kind, path in paths.items()]


def lines_of(path: Path) -> int:
    return len(path.read_text().splitlines()) - 1


@pytest.mark.slow
def test_a_crash_of_the_server_in_the_middle_of_an_import(crashing: Workspace, server: Cluster):
    worker, hold = start_pausing_worker(crashing)
    given = files(crashing)
    row = enqueue_import(given)
    wait_until("the worker is at it", lambda: "at it" in worker.output)
    server.crash_and_restart()
    hold.unlink()
    assert polls() == 0
    done = ended(imports.get, row.id)
    assert (done.status, done.attempts) == (COMPLETE, 2)
    expected = sum(lines_of(file.path) for file in given)
    assert (done.counts["read"], done.counts["new"]) == (expected, expected)
    assert polls() == lines_of(given[0].path)
    assert worker.process.poll() is None


@pytest.mark.slow
def test_a_crash_of_the_server_in_the_middle_of_a_report(crashing: Workspace, server: Cluster):
    imports.run_now(files(crashing))
    expected = computation.compute(cache=SnapshotCache()).csv().encode()
    worker, hold = start_pausing_worker(crashing)
    report = enqueue_report()
    wait_until("the worker is at it", lambda: "at it" in worker.output)
    server.crash_and_restart()
    hold.unlink()
    done = ended(reports.get, report.id)
    assert (done.status, done.attempts) == (COMPLETE, 2)
    assert reports.read_csv(done) == expected
    with session():
        assert models.Report.select().count() == 1
    assert worker.process.poll() is None


@pytest.fixture
def cable(server: Cluster) -> Iterator[Proxy]:
    with proxy(server.port) as made:
        yield made


@pytest.mark.slow
@pytest.mark.parametrize("silent", [False, True], ids=["refused", "silent"])
def test_the_connection_cut_for_twenty_seconds(
    crashing: Workspace, server: Cluster, cable: Proxy, silent: bool
):
    parts = urlsplit(crashing.env["RESTMON_DATABASE_URL"])
    url = parts._replace(netloc=f"restmon@127.0.0.1:{cable.port}").geturl()
    given = files(crashing)
    worker, hold = start_pausing_worker(crashing, url)
    row = enqueue_import(given)
    wait_until("the worker is at it", lambda: "at it" in worker.output)
    cable.cut(silent=silent)
    hold.unlink()
    time.sleep(CUT_SECONDS)
    assert polls() == 0
    cable.mend()
    done = ended(imports.get, row.id)
    assert done.status == COMPLETE
    assert done.counts["new"] + done.counts["unchanged"] == done.counts["read"]
    assert polls() == lines_of(given[0].path)
    report = ended(reports.get, enqueue_report().id)
    assert report.status == COMPLETE
    assert reports.read_csv(report) == computation.compute(cache=SnapshotCache()).csv().encode()
    assert worker.process.poll() is None
    close_databases()
