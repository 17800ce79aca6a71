"""Reports in parts: the same bytes as in one piece, whoever computes them and whatever happens."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from peewee import PeeweeException

from jobs.tasks import enqueue_report, recover
from restmon.demo import generator
from restmon.ingest import imports, incoming_files
from restmon.leasing import leases
from restmon.reporting import computation, reports, shards
from restmon.reporting.snapshot import SnapshotCache
from restmon.settings import get_settings
from restmon.storage import files
from restmon.storage.files import Kind
from restmon.storage.models import COMPLETE, FAILED, RUNNING, Shard
from tests.support import kept
from tests.support.environment import wait_until
from tests.support.examples import examples
from tests.support.workers import ended, start_worker
from tests.support.workspace import HOURS_HEADER, POLLS_HEADER, Workspace

pytestmark = pytest.mark.both_databases

STORES, A_PART = 40, 7
PARTS = -(-STORES // A_PART)


@pytest.fixture
def parted(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace with stores for six shards."""
    workspace.env["RESTMON_SHARD_STORES"] = str(A_PART)
    monkeypatch.setenv("RESTMON_SHARD_STORES", str(A_PART))
    get_settings.cache_clear()
    files = generator.generate(
        workspace.path / "files", generator.DemoPlan(stores=STORES, days=8, seed=3)
    )
    found = {
        "polls": files.polls,
        "business_hours": files.business_hours,
        "timezones": files.timezones,
    }
    imports.run_now([incoming_files.source_file(kind, path) for kind, path in found.items()])
    return workspace


def in_one_piece(as_of: int | None = None, method: str = "nearest") -> bytes:
    return computation.compute(as_of, method, cache=SnapshotCache()).csv().encode()


def import_polls(workspace: Workspace, *polls: tuple[str, str, int]) -> None:
    """Import (store_id, status, instant) lines."""
    lines = "".join(f"{s},{status},{reports.as_text(t)}\n" for s, status, t in polls)
    path = workspace.write("more.csv", POLLS_HEADER + lines)
    imports.run_now([incoming_files.source_file("polls", path)])


@pytest.mark.parametrize("method", ["nearest", "previous"])
def test_the_parts_joined_are_the_report_in_one_piece(parted: Workspace, method: str):
    report = reports.request(method=method)
    assert reports.work(report.id) is True
    assert reports.get(report.id).status == RUNNING
    ids = shards.list_waiting(report.id)
    assert len(ids) == PARTS
    following = [reports.work_shard(shard_id) for shard_id in reversed(ids)]
    assert following == [None] * (PARTS - 1) + [report.id]
    assert reports.work(report.id) is True
    done = reports.get(report.id)
    assert (done.status, done.stores, done.attempts) == (COMPLETE, STORES, 1)
    assert reports.read_csv(done) == in_one_piece(done.as_of, method)
    assert done.as_of == computation.compute().as_of
    assert kept.keys(Kind.REPORT) == [f"{report.id}.csv"]
    assert kept.keys(Kind.PART) == []


def test_a_report_of_few_stores_is_not_parted(parted: Workspace, monkeypatch: Any):
    monkeypatch.setenv("RESTMON_SHARD_STORES", str(STORES))
    get_settings.cache_clear()
    report = reports.request()
    assert reports.work(report.id) is True
    assert reports.get(report.id).status == COMPLETE
    assert shards.list_shards(report.id) == []


def test_a_shard_reads_its_own_stores_alone(parted: Workspace):
    report = reports.request()
    reports.work(report.id)
    names: list[str] = []
    for shard in shards.list_shards(report.id):
        with reports.database.reading():
            found = shards.StoreRange(shard.first, shard.end).get(shard.as_of, computation.WEEK)
        assert len(found.stores.ids) <= A_PART
        assert set(found.polls.store.tolist()) <= set(range(len(found.stores.ids)))
        assert set(found.stores.schedule.weekly.store.tolist()) <= set(range(len(found.stores.ids)))
        names += found.stores.ids
    assert names == computation.compute().stores.ids


HOUR = 3600 * 1_000_000


def sharded(as_of: int | None = None) -> bytes:
    """The CSV of a report that this process computes shard by shard."""
    report = reports.request(as_of)
    reports.work(report.id)
    for shard_id in shards.list_waiting(report.id):
        reports.work_shard(shard_id)
    reports.work(report.id)
    return reports.read_csv(reports.get(report.id))


def test_a_second_report_reads_only_the_polls_that_came_since(
    parted: Workspace, monkeypatch: pytest.MonkeyPatch
):
    sharded()
    newest = computation.compute().as_of
    ids = computation.compute().stores.ids
    import_polls(
        parted, (ids[0], "inactive", newest + HOUR), (ids[-1], "active", newest + 2 * HOUR)
    )
    read: list[int] = []
    original = shards.polls_between
    monkeypatch.setattr(
        shards, "polls_between", lambda s, lo, hi: read.append(lo) or original(s, lo, hi)
    )
    assert sharded() == in_one_piece()
    assert read == [newest + 1] * PARTS
    read.clear()
    assert sharded() == in_one_piece()
    assert read == []


@pytest.mark.slow
@settings(
    max_examples=examples(45),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["poll", "hours", "forget"]),
            st.integers(0, STORES - 1),
            st.integers(-300, 30),
            st.integers(-200, 30),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_what_a_worker_keeps_never_shows(parted: Workspace, steps: list[tuple[Any, ...]]):
    ids = computation.compute().stores.ids
    newest = computation.compute().as_of
    for what, store, at, as_of in steps:
        if what == "poll":
            import_polls(parted, (ids[store], "inactive", newest + at * HOUR))
        elif what == "hours":
            path = parted.write("h.csv", f"{HOURS_HEADER}{ids[store]},{at % 7},09:00,17:00\n")
            imports.run_now([incoming_files.source_file("business_hours", path)])
        else:
            reports.database.forget(newest - 400 * HOUR)
        assert sharded(newest + as_of * HOUR) == in_one_piece(newest + as_of * HOUR)


@pytest.mark.slow
def test_three_workers_share_a_report(parted: Workspace):
    workers = [parted.start_worker() for _ in range(3)]
    done = ended(reports.get, enqueue_report().id)
    assert reports.read_csv(done) == in_one_piece(done.as_of)
    assert all(worker.stop() == 0 for worker in workers)
    assert all(shard.attempts == 1 for shard in shards.list_shards(done.id))


@pytest.mark.slow
def test_shards_of_a_worker_that_is_killed_are_taken_up_by_the_others(parted: Workspace):
    slow = start_worker(parted, slow=True)
    report = reports.request()
    reports.work(report.id)
    recover()
    wait_until("the worker is at two of the shards", lambda: slow.output.count("at it") == 2)
    for _ in range(2):
        start_worker(parted)
    wait_until(
        "the others have the rest",
        lambda: (
            len([s for s in shards.list_shards(report.id) if s.status == COMPLETE]) == PARTS - 2
        ),
    )
    assert reports.get(report.id).status == RUNNING
    slow.kill()
    done = ended(reports.get, report.id)
    assert (done.status, done.attempts) == (COMPLETE, 1)
    assert reports.read_csv(done) == in_one_piece(done.as_of)
    assert sorted(shard.attempts for shard in shards.list_shards(report.id)) == [1] * (
        PARTS - 2
    ) + [2, 2]


def test_polls_after_the_reports_instant_disturb_no_shard(parted: Workspace):
    report = reports.request()
    reports.work(report.id)
    first, *others = shards.list_waiting(report.id)
    before = in_one_piece()
    reports.work_shard(first)
    as_of = shards.list_shards(report.id)[0].as_of
    store = computation.compute().stores.ids[-1]
    import_polls(parted, (store, "inactive", as_of + 1))
    for shard_id in others:
        reports.work_shard(shard_id)
    reports.work(report.id)
    done = reports.get(report.id)
    assert (done.status, done.rounds, done.as_of) == (COMPLETE, 1, as_of)
    assert reports.read_csv(done) == before != in_one_piece()


@pytest.mark.parametrize("change", ["poll", "store"])
def test_data_that_change_under_the_shards_part_the_report_anew(parted: Workspace, change: str):
    report = reports.request()
    reports.work(report.id)
    first, second, *_ = shards.list_waiting(report.id)
    assert reports.work_shard(first) is None
    as_of = shards.list_shards(report.id)[0].as_of
    ids = computation.compute().stores.ids
    if change == "poll":
        import_polls(parted, (ids[0], "inactive", as_of - 1), (ids[-1], "inactive", as_of - 1))
    else:
        import_polls(parted, ("another", "active", as_of + 1))
    assert reports.work_shard(second) == report.id
    assert shards.list_shards(report.id) == []
    reports.work(report.id)
    for shard_id in shards.list_waiting(report.id):
        reports.work_shard(shard_id)
    reports.work(report.id)
    done = reports.get(report.id)
    assert (done.status, done.rounds) == (COMPLETE, 2)
    assert reports.read_csv(done) == in_one_piece()
    assert done.stores == STORES + (change == "store")


def test_a_report_disturbed_again_and_again_is_computed_in_one_piece(parted: Workspace):
    report = reports.request()
    ids = computation.compute().stores.ids
    for n in range(shards.MOST_ROUNDS):
        reports.work(report.id)
        assert reports.get(report.id).status == RUNNING
        import_polls(parted, (ids[0], "inactive", shards.list_shards(report.id)[0].as_of - 1 - n))
        assert reports.work_shard(shards.list_waiting(report.id)[0]) == report.id
    reports.work(report.id)
    done = reports.get(report.id)
    assert done.status == COMPLETE
    assert reports.read_csv(done) == in_one_piece()


def test_a_report_whose_shards_are_under_way_is_left_alone(parted: Workspace):
    report = reports.request()
    reports.work(report.id)
    assert leases.list_waiting(reports.Report) == []
    assert reports.work(report.id) is True
    assert reports.get(report.id).attempts == 0
    assert len(shards.list_shards(report.id)) == PARTS


def test_a_shard_that_cannot_be_written_fails_the_report(parted: Workspace):
    report = reports.request()
    reports.work(report.id)
    said = kept.refuse_to_write(parted, Kind.PART)
    for shard_id in shards.list_waiting(report.id):
        with suppress(PeeweeException):  # what is not the folder's goes into the worker's log
            reports.work_shard(shard_id)
    reports.work(report.id)
    done = reports.get(report.id)
    assert done.status == FAILED
    assert said in done.error


def test_a_part_that_is_gone_is_told(parted: Workspace):
    report = reports.request()
    reports.work(report.id)
    for shard_id in shards.list_waiting(report.id):
        reports.work_shard(shard_id)
    key = shards.part_key(shards.list_shards(report.id)[2])
    files.delete(Kind.PART, key)
    reports.work(report.id)
    done = reports.get(report.id)
    assert done.status == FAILED
    assert done.error == (
        f"The part {key} of the report is no longer in {files.where(Kind.PART)}. "
        "Trigger a new report."
    )


def test_the_shards_go_with_their_report(parted: Workspace):
    report = reports.request()
    reports.work(report.id)
    with reports.database.session():
        reports.Report.delete().where(reports.Report.id == report.id).execute()
        assert Shard.select().count() == 0
