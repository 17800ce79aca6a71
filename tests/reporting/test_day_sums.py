"""The stored sums by day: after any sequence of changes they are what polls give."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs import tasks
from restmon.core.instants import as_text, date_of
from restmon.core.periods import BY_DAY
from restmon.ingest import undo
from restmon.ops import deletion
from restmon.reporting import day_sums_refresh
from restmon.reporting.day_measures import find_first_date, find_last_date
from restmon.reporting.scopes import Scope
from restmon.reporting.snapshot import cache, read_stores
from restmon.reporting.uptime_series import read_series
from restmon.reporting.windows import find_midnights, parse_window
from restmon.settings import get_settings
from restmon.storage import database
from restmon.storage.day_sums import COLUMNS, read_days, read_state
from restmon.storage.models import (
    COMPLETE,
    DaySums,
    DaySumsState,
    Group,
    OtherHours,
    Report,
    StoreDirectory,
)
from restmon.storage.models import Store as StoreRow
from restmon.storage.revisions import new_revision
from restmon.stores import groups
from tests import reference
from tests.support.environment import ROOT, wait_until
from tests.support.examples import examples
from tests.support.imported import import_stores, wall
from tests.support.stores import DAY, HOUR, MINUTE, AStore, cases, schedules
from tests.support.workspace import Workspace

pytestmark = pytest.mark.both_databases
FEW_STORES = 3


def no_sums_yet() -> None:
    with database.writing():
        DaySums.delete().execute()
        DaySumsState.delete().execute()


def stored() -> dict[str, dict[int, list[int]]]:
    """What is stored of each store with a date that has any time: {store: {date: numbers}}."""
    with database.reading():
        stores = read_stores()
        found: dict[str, dict[int, list[int]]] = {store: {} for store in stores.ids}
        for date, row in read_days(-(2**30), 2**30):
            own = row.of(np.sort(stores.rows))
            for n, store_row in enumerate(own.rows.tolist()):
                numbers = [int(getattr(own, name)[n]) for name in COLUMNS]
                if any(numbers):
                    found[stores.ids[stores.rows.tolist().index(store_row)]][date] = numbers
        return found


def from_polls() -> dict[str, dict[int, list[int]]]:
    """The same, from each store's series of the whole history."""
    with database.reading():
        stores = read_stores()
        as_of, oldest = database.newest_poll(), database.oldest_poll()
        if as_of is None or oldest is None:
            return {store: {} for store in stores.ids}
        last = find_last_date(stores, as_of)
        first = max(find_first_date(stores, oldest), last - day_sums_refresh.DAYS_KEPT + 1)
        result = {}
        for n, store in enumerate(stores.ids):
            zone = stores.zones[stores.zone_of_store[n]]
            result[store] = _days_of(store, zone, first, as_of)
        return result


def _days_of(store: str, zone: str, first: int, as_of: int) -> dict[int, list[int]]:
    if int(find_midnights(first, [zone])[0]) >= as_of:
        return {}
    scope = Scope(store=store)
    days: dict[int, list[int]] = {}
    begin = first
    while int(find_midnights(begin, [zone])[0]) < as_of:  # 13 months at a time
        words = {"from": str(date_of(begin))}
        if int(find_midnights(begin + 390, [zone])[0]) < as_of:
            words["to"] = str(date_of(begin + 390))
        found = read_series(scope, BY_DAY, parse_window(words), as_of)
        for k, date in enumerate(found.number.tolist()):
            sums = [int(getattr(found.sums, name)[k]) for name in COLUMNS[:4]]
            if any(sums):
                days[date] = sums
        begin += 390
    return days


def check() -> None:
    day_sums_refresh.refresh()
    assert day_sums_refresh.is_current()
    found = stored()
    assert {s: {d: sums[:4] for d, sums in of.items()} for s, of in found.items()} == from_polls()
    # Outages that begin are counted as in sums that are made from nothing.
    with database.writing():
        state = read_state()
        DaySumsState.delete().execute()
    day_sums_refresh.refresh()
    assert stored() == found
    with database.writing():
        DaySumsState.delete().execute()
        if state is not None:
            state.save(force_insert=True)


@dataclass(frozen=True)
class Doing:
    """One change of the data."""

    kind: str
    value: Any


near = st.integers(-30 * 24 * 4, 48).map(lambda quarters: quarters * HOUR // 4)
polls = st.lists(st.tuples(st.integers(0, FEW_STORES), near, st.booleans()), min_size=1, max_size=6)
doings = st.one_of(
    polls.map(lambda found: Doing("polls", found)),
    polls.map(lambda found: Doing("polls", found)),
    st.tuples(st.integers(0, FEW_STORES), schedules).map(lambda found: Doing("hours", found)),
    st.tuples(
        st.integers(0, FEW_STORES), st.sampled_from(["Asia/Tokyo", "Pacific/Honolulu", "UTC"])
    ).map(lambda found: Doing("zone", found)),
    st.tuples(st.integers(0, FEW_STORES), st.integers(-20, 1)).map(
        lambda found: Doing("closed", found)
    ),
    st.tuples(st.booleans(), st.integers(-20, 1)).map(lambda found: Doing("other hours", found)),
    st.just(Doing("undo", None)),
    st.integers(-40, 2).map(lambda days: Doing("forget", days)),
    st.integers(0, FEW_STORES).map(lambda n: Doing("delete", n)),
    st.just(Doing("group", None)),
)


def do(workspace: Workspace, doing: Doing, center: int, done: list[str]) -> None:
    match doing.kind:
        case "polls":
            lines = "".join(
                f"s{n},{'active' if up else 'inactive'},{as_text(center + t)}\n"
                for n, t, up in doing.value
            )
            done.append(workspace.import_now(lines).id)
        case "hours":
            n, rows = doing.value
            lines = "".join(f"s{n},{day},{wall(a)},{wall(b)}\n" for day, a, b in rows)
            if lines:
                done.append(workspace.import_now(hours=lines).id)
        case "zone":
            n, zone = doing.value
            done.append(workspace.import_now(zones=f"s{n},{zone}\n").id)
        case "undo":
            if done:
                undo.undo(done.pop())
        case "forget":
            with database.session():
                database.forget(center + doing.value * DAY)
        case "delete":
            with database.session():
                known = StoreRow.get_or_none(StoreRow.store_id == f"s{doing.value}")
            if known is not None:
                deletion.delete_store(known.store_id)
                done.clear()
        case "group":
            with database.writing():
                new_revision()
        case _:
            change_dates(doing, center)


def change_dates(doing: Doing, center: int) -> None:
    with database.writing():
        first = StoreRow.select().order_by(StoreRow.store_id).first()
        if first is None:
            return
        if doing.kind == "closed":
            n, days = doing.value
            store = StoreRow.get_or_none(StoreRow.store_id == f"s{n}") or first
            StoreDirectory.delete().where(StoreDirectory.store == store).execute()
            StoreDirectory.create(store=store, closed_on=center // DAY + days)
        else:
            of_group, days = doing.value
            date = center // DAY + days
            owner = {"group": Group.get()} if of_group else {"store": first}
            OtherHours.create(date=date, start_time=3 * HOUR, end_time=5 * HOUR, **owner)
        new_revision(stores_changed=True)


@given(case=cases(max_stores=FEW_STORES), changes=st.lists(doings, min_size=1, max_size=6))
@settings(
    max_examples=examples(6),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_after_any_changes_the_sums_are_those_of_the_polls(
    workspace: Workspace, case: tuple[list[AStore], int], changes: list[Doing]
):
    stores, center = case
    oldest = center - 30 * DAY  # so that there are few days to compare
    stores = [
        replace(of, polls=[(max(t, oldest - t % DAY), up) for t, up in of.polls]) for of in stores
    ]
    import_stores(workspace, stores)
    no_sums_yet()
    with database.writing():
        Group.delete().execute()
    cache.clear()
    groups.create("g")
    with database.session():
        groups.set_members("g", [row.store_id for row in StoreRow.select().limit(2)])
    check()
    done: list[str] = []
    for change in changes:
        do(workspace, change, center, done)
        check()


@given(case=cases(max_stores=2))
@settings(
    max_examples=examples(10),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_days_are_the_references(workspace: Workspace, case: tuple[list[AStore], int]):
    stores, _ = case
    named = import_stores(workspace, stores)
    no_sums_yet()
    day_sums_refresh.refresh()
    as_of = max((t for store in stores for t, _ in store.polls), default=None)
    if as_of is None:
        assert not any(stored().values())
        return
    oldest = min(t for store in stores for t, _ in store.polls)
    begin = min(
        reference.local_clock(oldest, stores[s].zone or reference.DEFAULT_ZONE) // DAY
        for s in named
    )
    for s in named:
        store = stores[s]
        hours = (store.hours, store.zone, store.polls)
        zone = store.zone or reference.DEFAULT_ZONE
        found = stored()[f"s{s}"]
        last = as_of // DAY + 1
        for date in range(last - 12, last + 1):
            lo, hi = (
                reference.wall_to_utc(day * DAY, zone, is_end=False) for day in (date, date + 1)
            )
            window = (lo, min(hi, as_of))
            if window[0] >= window[1] or date < begin:
                assert date not in found
                continue
            up, down = reference.time_between(*hours, as_of, "nearest", *window)
            covered, opened = reference.coverage(*hours, as_of, *window, 90 * MINUTE)
            _, begun, *_ = reference.outage_statistics(*hours, as_of, "nearest", *window)
            expected = [2 * opened, int(2 * up), int(2 * down), 2 * covered, begun]
            assert found.get(date, [0] * 5) == expected


AS_OF = 1_674_670_402_000_000


def hourly(store: str, hours: int, end: int = AS_OF) -> str:
    """Hourly polls up to an instant, every tenth one inactive."""
    return "".join(
        f"{store},{'inactive' if n % 10 == 4 else 'active'},{as_text(end - n * HOUR)}\n"
        for n in range(hours)
    )


def test_a_new_poll_makes_only_the_last_days_again(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
):
    workspace.import_now(hourly("a", 24 * 20) + hourly("b", 24 * 20))
    check()
    with database.session():
        before = dict(database.tuples(DaySums.select(DaySums.date, DaySums.data)))
    measured = []
    measure = day_sums_refresh.measure_days

    def note(stores: Any, first: Any, last: int, how: Any) -> Any:
        measured.append((int(first.min()), last))
        return measure(stores, first, last, how)

    monkeypatch.setattr(day_sums_refresh, "measure_days", note)
    workspace.import_now(f"a,inactive,{as_text(AS_OF + HOUR)}\n")
    day_sums_refresh.refresh()
    (first, last) = measured[0]
    assert len(measured) == 1
    assert last - first <= 3
    with database.session():
        after = dict(database.tuples(DaySums.select(DaySums.date, DaySums.data)))
    changed = {date for date, data in after.items() if before.get(date) != data}
    assert changed
    assert min(changed) >= first


def test_a_store_that_was_silent_for_long_is_made_again_from_its_last_poll(workspace: Workspace):
    workspace.import_now(hourly("a", 24 * 20) + hourly("b", 5, AS_OF - 15 * DAY))
    check()
    workspace.import_now(f"b,inactive,{as_text(AS_OF)}\nc,active,{as_text(AS_OF)}\n")
    check()
    with database.session():
        assert len(stored()["c"]) >= 20


def test_a_worker_that_another_one_overtook_writes_nothing(workspace: Workspace):
    workspace.import_now(hourly("a", 24 * 3))
    day_sums_refresh._take()
    slow = day_sums_refresh._prepare()
    assert slow is not None
    workspace.import_now(f"a,inactive,{as_text(AS_OF + HOUR)}\n")
    day_sums_refresh._step()
    with database.updating():
        day_sums_refresh._write(slow)
    assert day_sums_refresh.is_current()
    check()


def test_nobody_else_begins_while_a_worker_is_at_it(workspace: Workspace):
    workspace.import_now(hourly("a", 24 * 3))
    with database.session():
        assert day_sums_refresh._take()
    assert day_sums_refresh.refresh() == 0
    with database.writing():
        DaySumsState.update(busy_until=database.clock() - 1).execute()  # it died
    check()


def test_too_much_for_one_step_is_made_in_several(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(day_sums_refresh, "STORE_DAYS_AT_ONCE", 10)
    monkeypatch.setattr(day_sums_refresh, "MOST_STORE_DAYS", 30)
    workspace.import_now(hourly("a", 24 * 30) + hourly("b", 24 * 30))
    assert day_sums_refresh.refresh() >= 6
    check()
    workspace.import_now(f"a,inactive,{as_text(AS_OF - 20 * DAY + 1)}\n")
    check()


def test_what_waits_in_the_queue_comes_before_the_next_step(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
):
    """Else a report waits for all of the sums, where a worker has one thread."""
    monkeypatch.setattr(day_sums_refresh, "STORE_DAYS_AT_ONCE", 10)
    workspace.import_now(hourly("a", 24 * 30))
    tasks.refresh_day_sums()
    report = tasks.enqueue_report()
    done = []
    while (task := tasks.huey.dequeue()) is not None:
        done.append(task.name)
        tasks.huey.execute(task)
        if task.name == "run_report":
            assert Report.get_by_id(report.id).status == COMPLETE
            assert not day_sums_refresh.is_current()
            assert read_state() is None, "No step was taken while the report waited."
    assert done[:2] == ["refresh_day_sums", "run_report"]
    assert done.count("refresh_day_sums") >= 4
    assert day_sums_refresh.is_current()
    check()


def test_a_setting_that_the_sums_depend_on_makes_them_again(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
):
    workspace.import_now(hourly("a", 24 * 3))
    check()
    monkeypatch.setenv("RESTMON_COVERED_MINUTES", "10")
    get_settings.cache_clear()
    before = stored()
    check()
    assert stored() != before


IS_KILLED = """
import os, signal
from restmon.reporting import day_sums_refresh
from restmon.storage import database
from restmon.storage.models import DaySums

create = DaySums.create
def kill(**values):
    create(**values)
    os.kill(os.getpid(), signal.SIGKILL)
DaySums.create = kill
database.configure()
day_sums_refresh.refresh()
"""


def test_a_worker_that_is_killed_in_the_middle_leaves_what_was_there(workspace: Workspace):
    workspace.import_now(hourly("a", 24 * 3))
    check()
    before = stored()
    workspace.import_now(f"a,inactive,{as_text(AS_OF + HOUR)}\n")
    done = subprocess.run(
        [sys.executable, "-c", IS_KILLED],
        env={**os.environ, **workspace.env, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    assert stored() == before
    assert day_sums_refresh.refresh() == 0  # until it is certain that it died
    with database.writing():
        DaySumsState.update(busy_until=database.clock() - 1).execute()
    check()
    assert stored() != before


@pytest.mark.slow
def test_a_worker_makes_the_sums_after_each_import(workspace: Workspace):
    workspace.import_now(hourly("a", 24 * 3))
    workspace.start_worker()
    wait_until("the sums are made", day_sums_refresh.is_current, seconds=90)
    found = stored()
    check()
    assert stored() == found
