"""All stores at once, out of a database: worked by hand, and against the reference."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from datetime import UTC, date, datetime
from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from restmon.core.hours import DEFAULT_ZONE
from restmon.core.incidents import Incidents
from restmon.core.instants import day_number
from restmon.core.status_now import STATUS_NAMES
from restmon.core.timeline import METHODS
from restmon.errors import BadRequest, NoPolls
from restmon.ops import retention
from restmon.reporting import computation, reports
from restmon.reporting.current_status import DOWN, NEVER, NEVER_OBSERVED, UP
from restmon.reporting.fleet import Fleet, Present, compute_fleet, compute_present
from restmon.reporting.incident_list import FoundIncidents, list_incidents
from restmon.reporting.scopes import find_scope
from restmon.reporting.snapshot import LOOKBACK, RESULTS_KEPT, SLACK, SnapshotCache, cache
from restmon.storage import database
from restmon.storage.models import Store, StoreDirectory
from restmon.storage.revisions import new_revision
from tests import reference
from tests.support.examples import examples
from tests.support.halves import halves
from tests.support.imported import import_stores
from tests.support.stores import DAY, HOUR, MINUTE, SECOND, AStore, cases
from tests.support.workspace import Workspace

pytestmark = pytest.mark.both_databases

WEEK = 7 * DAY


def utc(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


def hourly_polls(store: str, first: int, flags: str) -> str:
    """A poll an hour from the instant on: "u" active, "d" inactive."""
    return "".join(
        f"{store},{'active' if flag == 'u' else 'inactive'},{reports.as_text(first + n * HOUR)}\n"
        for n, flag in enumerate(flags)
    )


def assert_same(one: Fleet, other: Fleet) -> None:
    for field in fields(Fleet):
        if field.name not in ("stores", "revision", "incidents", "kept"):
            a, b = getattr(one, field.name), getattr(other, field.name)
            assert np.array_equal(a, b), field.name
    assert one.ids == other.ids
    assert one.zones.tolist() == other.zones.tolist()
    assert_same_incidents(one.incidents, other.incidents)


def assert_same_incidents(one: FoundIncidents, other: FoundIncidents) -> None:
    assert (one.as_of, one.lo, one.hi, one.ids) == (other.as_of, other.lo, other.hi, other.ids)
    assert one.lost.tolist() == other.lost.tolist()
    for field in fields(Incidents):
        a, b = (getattr(found.incidents, field.name).tolist() for found in (one, other))
        assert a == b, field.name


def test_the_incidents_of_a_fleet_are_those_of_its_week(workspace: Workspace):
    flags = "u" * 100 + "dd" + "u" * 60 + "d" + "u" * 3
    polls = [hourly_polls(f"s{n}", utc("2023-01-20 00:07") + n, flags) for n in range(7)]
    workspace.import_now("".join([*polls, hourly_polls("up", utc("2023-01-20 00:00"), "u" * 166)]))
    found = compute_fleet()
    assert len(found.incidents.ids) == 2
    assert_same_incidents(found.incidents, list_incidents(find_scope()))


def test_coverage_is_told_of_each_window_and_hour(workspace: Workspace):
    as_of = utc("2023-01-26 18:00")
    hours = (0, 1, 9)
    workspace.import_now(
        "".join(hourly_polls("a", as_of - hour * HOUR, "u") for hour in hours),
        None,
        "a,UTC\nb,UTC\n",
    )
    found = compute_fleet()
    assert found.open_time.tolist() == [[2 * HOUR, 2 * DAY, 2 * WEEK]] * 2
    seen = [2 * HOUR, 11 * HOUR, 11 * HOUR]  # 2.5 hours to now, 3 around the oldest: in halves
    assert found.covered.tolist() == [seen, [0, 0, 0]]
    assert found.covered_by_hour[0, -12:].tolist() == [0, 0.5, 1, 1, 0.5, 0, 0, 0, 0, 0.5, 1, 1]
    assert found.covered_by_hour.sum() == 5.5
    assert found.coverage.tolist() == [5.5 / 168, 0]


def test_a_store_worked_by_hand(workspace: Workspace):
    # Thursday, 2023-01-26, 18:00 UTC: 23:30 in Kolkata. Down from 13:30 to 15:30 UTC.
    as_of = utc("2023-01-26 18:00")
    flags = "u" * 158 + "dd" + "u" * 3
    workspace.import_now(
        hourly_polls("a", as_of - 162 * HOUR, flags), None, "a,Asia/Kolkata\nb,Asia/Kolkata\n"
    )
    found = compute_fleet()
    assert (found.as_of, found.ids, found.zones.tolist()) == (
        as_of,
        ["a", "b"],
        2 * ["Asia/Kolkata"],
    )
    down = found.down_by_hour[0]
    assert found.hour_edges[[0, -1]].tolist() == [as_of - WEEK, as_of]
    hour = (utc("2023-01-26 13:00") - as_of + WEEK) // HOUR
    assert down[hour : hour + 3].tolist() == [0.5, 1, 0.5]
    assert down.sum() == 2
    assert (found.up_by_hour[0] + down == 1).all()
    # 13:30 UTC is 19:00 there: two whole hours of Thursday's row, though they are half hours
    # of elapsed time.
    cells = found.down_by_weekday_hour[0]
    assert cells[3, 19:21].tolist() == [1, 1]
    assert cells.sum() == 2
    assert (found.open_by_weekday_hour[0] == 1).all()
    assert found.down[0].tolist() == [0, 2 * 2 * HOUR, 2 * 2 * HOUR]
    assert found.down_before[0].tolist() == [0, 0, 0]
    assert found.up_before[0].tolist() == [2 * HOUR, 2 * DAY, 2 * WEEK]
    assert found.outages.tolist() == [1, 0]
    assert found.share[0] == 1 - 2 / 168
    # The other one was never polled: it has no time, open or not.
    assert found.status.tolist() == [UP, NEVER_OBSERVED]
    assert found.observed.tolist() == [True, False]
    assert np.isnan(found.share[1])
    assert found.open_now.tolist() == [True, True]
    assert found.last_poll.tolist() == [as_of, NEVER]
    assert found.last_poll_status.tolist() == [1, -1]
    for table in (found.up_by_hour, found.down_by_weekday_hour, found.open_by_weekday_hour):
        assert table[1].sum() == 0
    assert found.has_before == (True, True, False)


def test_a_change_of_clocks_moves_the_cells(workspace: Workspace):
    # Denver, 2023-11-05 (Sunday): 02:00 falls back to 01:00 at 08:00 UTC.
    as_of = utc("2023-11-06 07:00")
    workspace.import_now(
        hourly_polls("a", as_of - 30 * HOUR, "d" * 31),
        "".join(f"a,{day},00:00,24:00\n" for day in range(7)),
        "a,America/Denver\n",
    )
    cells = compute_fleet().down_by_weekday_hour[0]
    assert cells[6, 1] == 2
    assert cells.sum() == 168
    assert cells[6].sum() == 25


def test_down_right_now_is_open_and_down(workspace: Workspace):
    as_of = utc("2023-01-24 18:00")  # Tuesday noon in Chicago
    lines = [
        f"{store},{status},{reports.as_text(as_of - minutes * MINUTE)}\n"
        for store, status, minutes in (
            ("closed", "inactive", 3 * 60),
            ("down", "inactive", 10),
            ("opening", "inactive", 3 * 60),
            ("up", "active", 0),
        )
    ]
    hours = "closed,1,08:00,12:00\ndown,1,08:00,13:00\nup,1,08:00,13:00\nunseen,1,08:00,13:00\n"
    hours += "opening,1,08:00,10:00\nopening,1,12:00,14:00\n"
    workspace.import_now("".join(lines), hours)
    found = compute_fleet()
    assert found.ids == ["closed", "down", "opening", "unseen", "up"]
    assert found.open_now.tolist() == [False, True, True, True, True]
    assert found.status.tolist() == [DOWN, DOWN, DOWN, NEVER_OBSERVED, UP]
    assert found.down_now.tolist() == [False, True, True, False, False]
    # Their first polls are inactive, so they were down all the week, and before.
    assert found.down_since.tolist() == [NEVER, *2 * [as_of - WEEK], NEVER, NEVER]


@pytest.mark.parametrize(
    ("method", "since"), [("nearest", "2023-01-24 17:30"), ("previous", "2023-01-24 18:00")]
)
def test_since_when_a_store_is_down(workspace: Workspace, method: str, since: str):
    workspace.import_now(
        "a,active,2023-01-24 17:00:00 UTC\na,inactive,2023-01-24 18:00:00 UTC\n"
        "b,active,2023-01-24 17:00:00 UTC\n"
    )
    found = compute_fleet(method=method)
    assert found.down_since.tolist() == [utc(since), NEVER]


def test_what_is_assumed_and_a_last_poll_of_long_ago(workspace: Workspace):
    as_of = utc("2023-06-01 12:00")
    long_ago = utc("2021-01-04 12:00")
    workspace.import_now(
        hourly_polls("new", as_of, "u") + hourly_polls("old", long_ago, "ud"),
        "hours,0,09:00,17:00\n",
        "zone,Europe/Dublin\n",
    )
    found = compute_fleet()
    assert found.ids == ["hours", "new", "old", "zone"]
    assert found.last_poll.tolist() == [NEVER, as_of, long_ago + HOUR, NEVER]
    assert found.last_poll_status.tolist() == [-1, 1, 0, -1]
    assert found.status.tolist() == [NEVER_OBSERVED, UP, DOWN, NEVER_OBSERVED]
    assert found.zone_assumed.tolist() == [True, True, True, False]
    assert found.hours_assumed.tolist() == [False, True, True, True]
    assert found.down[2].tolist() == [2 * HOUR, 2 * DAY, 2 * WEEK]
    assert found.down_before[2].tolist() == [2 * HOUR, 2 * DAY, 2 * WEEK]
    assert found.has_before == (False, False, False)
    past = compute_fleet(long_ago)
    assert past.last_poll.tolist() == [NEVER, NEVER, long_ago, NEVER]
    assert past.status.tolist() == [NEVER_OBSERVED, NEVER_OBSERVED, UP, NEVER_OBSERVED]


@pytest.mark.parametrize("method", METHODS)
def test_the_present_is_that_of_the_fleet(workspace: Workspace, method: str):
    first = utc("2023-01-23 00:00")
    workspace.import_now(
        hourly_polls("a", first, "uuuuduuuddd")
        + hourly_polls("b", first, "uuuuuuuuuuu")
        + hourly_polls("c", first - 30 * DAY, "ud")
        + hourly_polls("d", first - 8 * DAY, "udd"),
        hours="b,0,01:00:00,02:00:00\n",
    )
    fleet, present = compute_fleet(method=method), compute_present(method=method)
    for field in fields(Present):
        if field.name not in ("stores", "incidents"):
            a, b = getattr(fleet, field.name), getattr(present, field.name)
            assert np.array_equal(a, b), field.name
    assert present.down_now.tolist() == [True, False, False, False]
    assert_same_incidents(fleet.incidents, present.incidents)


def test_a_fleet_is_made_once_a_revision(workspace: Workspace):
    first = utc("2023-01-01 00:00")
    workspace.import_now(hourly_polls("b", first, "u" * 400))
    one = compute_fleet()
    assert compute_fleet() is one
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda method: compute_fleet(method=method), 4 * METHODS))
    assert len({id(made) for made in found}) == len(METHODS)
    assert compute_fleet(method="previous") is not one
    for n in range(RESULTS_KEPT):
        compute_fleet(one.as_of - n)
    assert len(cache._made) == RESULTS_KEPT
    workspace.import_now(hourly_polls("a", first + 399 * HOUR, "d"))
    two = compute_fleet()
    assert two.revision > one.revision
    assert (one.ids, two.ids) == (["b"], ["a", "b"])
    assert len(cache._made) == 1


def test_a_fleet_brought_up_to_date_is_one_made_anew(workspace: Workspace):
    first = utc("2023-01-01 00:00")
    week = 168 * HOUR
    stores = [f"s{n}" for n in range(5)]

    def of_all(start: int, flags: str) -> str:
        return "".join(hourly_polls(store, start, flags) for store in stores)

    hours = "".join(f"s{n},{day},0{n}:00,2{n % 4}:30\n" for n in range(1, 5) for day in range(7))
    shared = SnapshotCache()
    workspace.import_now(of_all(first, "ud" * 300), hours, "s1,Asia/Kolkata\n")
    computation.compute(cache=shared)  # a shallow snapshot first
    steps = [
        of_all(first + 600 * HOUR, "u"),  # the next hour
        of_all(first + 601 * HOUR - 10 * DAY, "uu"),  # in the week before the last
        of_all(first + 600 * HOUR + 3 * DAY, "du" * 10),  # beyond the slack
        hourly_polls("another", first + 650 * HOUR, "ddd"),  # a store between the others
        hourly_polls("s0", first + week, "d" * 5),  # long ago
        of_all(first + 600 * HOUR + 40 * DAY, "dddu"),  # after a long silence
    ]
    for text in steps:
        workspace.import_now(text)
        assert_same(compute_fleet(cache=shared), compute_fleet(cache=SnapshotCache()))
        assert (
            computation.compute(cache=shared).csv()
            == computation.compute(cache=SnapshotCache()).csv()
        )
    with database.reading():
        kept = shared.get()
    assert 0 <= kept.polls.time.max() - 2 * WEEK - LOOKBACK - kept.polls_from <= SLACK
    assert kept.polls.time.min() >= kept.polls_from
    retention.apply(30, accept_much=True)
    assert_same(compute_fleet(cache=shared), compute_fleet(cache=SnapshotCache()))


def test_the_fleet_tells_the_reports_numbers(workspace: Workspace):
    first = utc("2023-03-01 00:20")
    workspace.import_now(
        hourly_polls("a", first, "uudud" * 80) + hourly_polls("b", first + 7, "d" * 300),
        "".join(f"a,{day},09:00,17:30\n" for day in range(6)),
        "b,Australia/Lord_Howe\n",
    )
    for method in METHODS:
        found, data = compute_fleet(method=method), computation.compute(method=method)
        assert (found.up == data.up).all()
        assert (found.down == data.down).all()
        assert found.outages.tolist() == np.bincount(data.outages().store, minlength=2).tolist()


def test_each_status_by_name(workspace: Workspace):
    as_of = utc("2023-01-26 18:00")  # Thursday, noon in Chicago
    polls = "".join(
        hourly_polls(store, as_of - 48 * HOUR, flags)
        for store, flags in (
            ("up", "u" * 49),
            ("down", "u" * 48 + "d"),
            ("closed", "u" * 49),
            ("stopped", "u" * 40),
            ("stopped-down", "u" * 39 + "d"),
            ("gone", "u" * 40),
            ("bad", "u" * 49),
        )
    )
    workspace.import_now(
        polls, "closed,3,18:00,20:00\nclosed,2,10:00,20:00\nbad,3,9 bells,10\nquiet,3,09:00,17:00\n"
    )
    store = Store.get(Store.store_id == "gone")
    with database.updating():
        StoreDirectory.create(store=store, closed_on=day_number(date(2023, 1, 26)))
        new_revision(stores_changed=True)
    found = compute_fleet()
    shown = [STATUS_NAMES[code] for code in found.status_now]
    assert dict(zip(found.ids, shown, strict=True)) == {
        "up": "up",
        "down": "down",
        "closed": "closed",
        "stopped": "not reporting",
        "stopped-down": "not reporting",
        "gone": "retired",
        "bad": "hours unreadable",
        "quiet": "no data",
    }
    assert found.down_now.tolist() == [name == "down" for name in found.ids]


def test_what_cannot_be_told(workspace: Workspace):
    with pytest.raises(NoPolls):
        compute_fleet()
    workspace.import_now(hours="a,0,09:00,17:00\n")
    with pytest.raises(NoPolls):
        compute_fleet()
    with pytest.raises(BadRequest, match="method"):
        compute_fleet(method="median")


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
@given(case=cases())
@settings(
    max_examples=examples(50),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_the_fleet_is_the_references(
    workspace: Workspace, method: str, case: tuple[list[AStore], int]
):
    stores, as_of = case
    stores = [*stores, AStore([], None, [(as_of - 900 * DAY, True)])]
    named = import_stores(workspace, stores)
    found = compute_fleet(as_of, method, SnapshotCache())
    assert found.ids == [f"s{s}" for s in named]
    begin = as_of - WEEK
    for n, s in enumerate(named):
        store = stores[s]
        everything = (store.hours, store.zone, store.polls, as_of, method)
        intervals, seen = reference.look(store.hours, store.zone, store.polls, as_of, begin)
        for w, window in enumerate((HOUR, DAY, WEEK)):
            middle = as_of - window
            for up, down, lo, hi in (
                (found.up, found.down, middle, as_of),
                (found.up_before, found.down_before, middle - window, middle),
            ):
                expected = reference.time_between(*everything, lo, hi)
                assert (up[n, w], down[n, w]) == tuple(map(halves, expected))

        def hours(ticks: int | Fraction) -> np.float32:
            return np.float32(int(ticks) / reference.TICKS / HOUR)

        for k in range(168):
            lo = begin + k * HOUR
            total = {True: 0, False: 0}
            for start, end, active in reference.pieces(intervals, seen, method, lo, lo + HOUR):
                total[active] += end - start
            assert found.up_by_hour[n, k] == hours(total[True])
            assert found.down_by_hour[n, k] == hours(total[False])

        cells = {(day, hour): [0, 0] for day in range(7) for hour in range(24)}
        by_clock = reference.time_by_clock(*everything, begin, as_of)
        for (day, hour), (up_time, down_time) in by_clock.items():
            cell = cells[(day + 3) % 7, hour]
            cell[0] += reference.TICKS * (up_time + down_time)
            cell[1] += reference.TICKS * down_time
        for (day, hour), (open_ticks, down_ticks) in cells.items():
            assert found.open_by_weekday_hour[n, day, hour] == hours(open_ticks)
            assert found.down_by_weekday_hour[n, day, hour] == hours(down_ticks)

        fell = reference.outages(*everything, since=begin)
        assert found.outages[n] == len(fell)
        open_now, up_now = reference.last_status(*everything)
        assert found.open_now[n] == open_now
        assert found.status[n] == (NEVER_OBSERVED if up_now is None else int(up_now))
        if up_now is None:
            shown = "no data"
        elif reference.is_stale(store.hours, store.zone, store.polls, as_of):
            shown = "not reporting"
        else:
            shown = ("up" if up_now else "down") if open_now else "closed"
        assert STATUS_NAMES[found.status_now[n]] == shown
        assert found.down_now[n] == (shown == "down")
        since = fell[-1][0] if fell and fell[-1][3] else as_of
        if not found.down_now[n]:
            assert found.down_since[n] == NEVER
        elif since < begin:
            assert floor(since) <= found.down_since[n] <= begin
        else:
            assert found.down_since[n] == floor(since)
        polls = {t: active for t, active in store.polls if t <= as_of}
        last = max(polls, default=None)
        assert found.last_poll[n] == (NEVER if last is None else last)
        assert found.last_poll_status[n] == (-1 if last is None else int(polls[last]))
        assert found.zones[n] == (store.zone or DEFAULT_ZONE)
        assert found.zone_assumed[n] == (store.zone is None)
        assert found.hours_assumed[n] == (not store.hours)
