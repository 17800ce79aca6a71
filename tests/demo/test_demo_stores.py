"""The demo as it is loaded: an export as people have it, up to the last full hour."""

import csv
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from restmon.access.roles import THIS_MACHINE
from restmon.core.incidents import find_incidents
from restmon.core.instants import DAY, HOUR, WEEK, as_datetime, from_datetime
from restmon.core.timeline import NEAREST
from restmon.demo import demo_stores, generator
from restmon.ingest import imports, incoming_files
from restmon.reporting import computation, fleet, snapshot
from restmon.reporting.data_check import check_data
from restmon.storage import database, demo_groups, models
from restmon.storage.demo_rows import has_demo
from restmon.storage.models import (
    BusinessHours,
    HourlySales,
    OtherHours,
    PollReason,
    Store,
    StoreDirectory,
)
from restmon.stores import groups
from tests.support.clock import set_clock
from tests.support.workspace import Workspace

LOADED = datetime(2026, 11, 27, 14, 47, 3, tzinfo=UTC)
FEEDS = {"polls", "business_hours", "timezones", "directory", "other_hours", "sales"}


@pytest.fixture
def demo(workspace: Workspace, monkeypatch: Any) -> Any:
    """The demo, loaded at LOADED: its import."""
    set_clock(monkeypatch, from_datetime(LOADED))
    return demo_stores.load_demo()


def test_every_feed_is_imported_without_a_rejected_line(demo: Any):
    assert {file["kind"] for file in demo.files} == FEEDS
    assert demo.counts["rejected"] == 0
    with database.session():
        for table in (BusinessHours, StoreDirectory, OtherHours, HourlySales, PollReason):
            assert table.select().count(), table
        names = {row.name for row in StoreDirectory.select() if row.name and row.address}
        assert len(names) == Store.select().count() == demo_stores.STORES


def test_two_weeks_whole_end_at_the_last_full_hour(demo: Any):
    end = from_datetime(LOADED.replace(minute=0, second=0))
    found = fleet.compute_fleet()
    assert end - HOUR < found.as_of < end
    assert found.has_before == (True, True, True)
    with database.reading():
        polls = snapshot.cache.get(None, 2 * WEEK).polls
    hours = np.unique(polls.time // HOUR)
    assert np.diff(hours).max() <= 4  # single hours are missed, no day


def test_many_stores_of_one_brand_go_down_at_once(demo: Any):
    found = computation.read_history(None, NEAREST, WEEK)
    incidents = find_incidents(found.line, found.as_of - WEEK, found.as_of)
    struck = {found.stores.ids[n] for n in incidents.store.tolist()}
    brand = set(groups.members_of(demo_groups.BRANDS[0]))
    assert len(brand) >= 8
    assert len(brand & struck) >= 5


def test_a_store_is_stale_and_the_data_check_names_it(demo: Any):
    codes = {finding.code: finding for finding in check_data(THIS_MACHINE).findings}
    assert "stale_stores" in codes
    assert all(example.name for example in codes["stale_stores"].examples)


def test_a_holiday_closes_a_brand_but_for_one_store(demo: Any):
    with database.reading():
        stores = snapshot.cache.get().stores
        rows = list(OtherHours.select())
    assert {row.group_id is None for row in rows} == {True, False}
    dates = stores.schedule.other
    assert dates is not None
    closed = set(np.unique(dates.store).tolist())
    assert {stores.ids[n] for n in closed} == set(groups.members_of(demo_groups.BRANDS[1]))


@pytest.mark.parametrize("hour", range(0, 24, 5))
def test_the_incident_and_the_stale_store_are_there_at_any_hour(tmp_path: Path, hour: int):
    end = LOADED.replace(hour=hour, minute=0, second=0)
    plan = generator.DemoPlan(
        stores=demo_stores.STORES, days=demo_stores.DAYS, end=end, everything=True
    )
    files = generator.generate(tmp_path, plan)
    with files.polls.open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    down: dict[str, set[str]] = {}
    last: dict[str, str] = {}
    for line in lines:
        when = line["timestamp_utc"]
        last[line["store_id"]] = max(last.get(line["store_id"], ""), when)
        assert line["reason"] == "" or line["status"] == "inactive"
        if line["reason"] == "Internet outage":
            down.setdefault(when[:13], set()).add(line["store_id"])
    assert max(map(len, down.values())) >= 5
    ages = [(end - datetime.fromisoformat(t.replace(" UTC", "+00:00"))) for t in last.values()]
    assert 1 <= sum(age.total_seconds() > 86_400 for age in ages) <= 2


def test_removing_it_leaves_no_trace_but_the_groups_that_people_use(demo: Any):
    groups.create("Mine")
    with database.writing():
        store = Store.create(store_id="own")
    groups.change(demo_groups.REGIONS[0], demo_groups.REGIONS[0], ["own"])
    assert demo_stores.clear_demo()
    assert not has_demo()
    assert {group.name for group in groups.list_groups()} == {"Mine", demo_groups.REGIONS[0]}
    with database.session():
        for table in (BusinessHours, StoreDirectory, OtherHours, HourlySales, PollReason):
            assert not table.select().count(), table
        assert [row.store_id for row in Store.select()] == [store.store_id]


def test_the_demo_files_of_the_repository_are_a_whole_export(workspace: Workspace):
    files = incoming_files.find_files(Path(generator.__file__).parents[2] / "data" / "demo")
    assert {file.kind for file in files} == FEEDS
    row = imports.run_now(files)
    assert (row.status, row.counts["rejected"]) == (models.COMPLETE, 0)
    newest = as_datetime(snapshot.cache.newest_poll() or 0)
    assert generator.END.timestamp() - newest.timestamp() < DAY / 1e6
